#pragma once
// Progress of long work: one line that is redrawn on a terminal, plain lines every few seconds elsewhere.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace polar::search {
struct SearchProgress;
}

namespace polar::experiment {

/// Where progress goes. Tests replace every part.
struct ProgressOutput {
  using Clock = std::chrono::steady_clock;
  std::function<void(std::string_view)> write;
  std::function<Clock::time_point()> now = Clock::now;
  bool terminal = false;
  int columns = 80;  ///< terminal only: longer lines are cut, since a wrapped line cannot be redrawn

  /// Standard error, as it is now.
  static ProgressOutput standard_error();
};

/// "search: 1,234 of 6,400 rollouts (19 %), 85.3/s, 1 min 1 s left". The rate is that of the last half minute,
/// so that work answered from a store at the start does not distort it. Drawn at most ten times a second on a terminal,
/// every five seconds elsewhere, and at the end. Thread-safe.
class Progress {
 public:
  /// total 0: unknown; neither share nor time left are shown.
  Progress(std::string label, std::uint64_t total, std::string unit,
           ProgressOutput output = ProgressOutput::standard_error());
  /// Ends the line as finish() does.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t count = 1);
  /// From the next drawing on; 0: unknown.
  void set_total(std::uint64_t total);
  /// Shown after the figures from the next drawing on ("best 0.53").
  void set_note(std::string note);
  /// Draws the last state, with the time it took, and ends the line. Later calls do nothing.
  void finish();

 private:
  using TimePoint = ProgressOutput::Clock::time_point;
  struct Sample {
    TimePoint time;
    std::uint64_t done;
  };
  void draw(TimePoint now, bool last);
  double rate(TimePoint now) const;

  std::mutex mutex_;
  const std::string label_, unit_;
  std::uint64_t total_;
  const ProgressOutput output_;
  const TimePoint start_;
  TimePoint drawn_;
  std::uint64_t done_ = 0;
  std::string note_;
  std::deque<Sample> samples_;
  bool finished_ = false;
};

/// Shows each report of run_searches (SearchRun::progress) on `progress`, which must outlive it: rollouts as they are
/// done, of as many as there can still be, and what came of the examples, hits first, so that 80 columns hold them.
std::function<void(const search::SearchProgress&)> shown_on(Progress& progress);

/// "0 s", "59 s", "1 min 1 s", "27 min", "2 h 5 min".
std::string duration_text(std::chrono::seconds duration);

}  // namespace polar::experiment
