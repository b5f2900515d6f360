#include "experiment/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "search/run_searches.h"

namespace polar::experiment {
namespace {

using namespace std::chrono_literals;
constexpr auto kTerminalInterval = 100ms;
constexpr auto kPlainInterval = 5s;
constexpr auto kRateWindow = 30s;

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

double seconds_between(ProgressOutput::Clock::time_point from, ProgressOutput::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// At most `columns` characters, each UTF-8 character counted as one.
std::string cut(const std::string& text, int columns) {
  int used = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && ++used > columns) return text.substr(0, i);
  return text;
}

}  // namespace

std::function<void(const search::SearchProgress&)> shown_on(Progress& progress) {
  return [&progress, counted = 0L](const search::SearchProgress& now) mutable {
    progress.set_total(static_cast<std::uint64_t>(now.rollouts_at_most));
    progress.set_note(fmt::format("{} solved, {} by the identity, {} of {} examples", now.solved, now.identity_correct,
                                  now.searches_done, now.searches));
    progress.add(static_cast<std::uint64_t>(now.rollouts_done - counted));
    counted = now.rollouts_done;
  };
}

std::string duration_text(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 3600) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

ProgressOutput ProgressOutput::standard_error() {
  ProgressOutput output;
  output.write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  output.terminal = isatty(STDERR_FILENO) == 1;
  winsize size{};
  if (output.terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) output.columns = size.ws_col;
  return output;
}

Progress::Progress(std::string label, std::uint64_t total, std::string unit, ProgressOutput output)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      output_(std::move(output)),
      start_(output_.now()),
      drawn_(start_),
      samples_{{start_, 0}} {}

Progress::~Progress() {
  finish();
}

void Progress::add(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  done_ += count;
  const TimePoint now = output_.now();
  const auto interval = output_.terminal ? ProgressOutput::Clock::duration(kTerminalInterval) : kPlainInterval;
  if (!finished_ && now - drawn_ >= interval) draw(now, false);
}

void Progress::set_total(std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  total_ = total;
}

void Progress::set_note(std::string note) {
  const std::lock_guard lock(mutex_);
  note_ = std::move(note);
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  draw(output_.now(), true);
}

double Progress::rate(TimePoint now) const {
  const double seconds = seconds_between(samples_.front().time, now);
  return seconds > 0 ? static_cast<double>(done_ - samples_.front().done) / seconds : 0;
}

void Progress::draw(TimePoint now, bool last) {
  drawn_ = now;
  while (samples_.size() > 1 && now - samples_[1].time >= kRateWindow) samples_.pop_front();
  std::string head = fmt::format("{}: {}", label_, grouped(done_));
  if (total_ > 0) head += fmt::format(" of {}", grouped(total_));
  head += ' ' + unit_;
  std::string line;
  const double elapsed_s = seconds_between(start_, now);
  const double speed = last ? (elapsed_s > 0 ? static_cast<double>(done_) / elapsed_s : 0) : rate(now);
  if (speed > 0) line += fmt::format(", {:.1f}/s", speed);
  if (last)
    line += ", took " + duration_text(std::chrono::seconds(static_cast<std::int64_t>(elapsed_s)));
  else if (speed > 0 && total_ > done_)
    line += fmt::format(", {} left",
                        duration_text(std::chrono::seconds(std::llround(static_cast<double>(total_ - done_) / speed))));
  if (!note_.empty()) line += ", " + note_;
  samples_.push_back({now, done_});
  const std::string share = total_ > 0 ? fmt::format(" ({} %)", done_ * 100 / total_) : "";
  const std::string whole = head + share + line;
  if (!output_.terminal) return output_.write(whole + "\n");
  const int columns = output_.columns - 1;
  const std::string shown = cut(whole, columns) == whole ? whole : cut(head + line, columns);  // the share goes first
  output_.write("\r" + shown + "\x1b[K" + (last ? "\n" : ""));
}

}  // namespace polar::experiment
