#pragma once
// log.jsonl: what happened in a run, one JSON object a line.

#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>

namespace polar::experiment {

enum class LogLevel { kInfo, kWarning, kError };

/// Appends lines {"time": "2025-01-31T12:00:00.123Z", "level": "info", "event": …, then the fields}. Each line is one
/// write, so lines of several processes never mix. A line cut short earlier (full disk, power) is ended first.
/// Thread-safe.
class Log {
 public:
  /// Throws Error naming the path and the system's reason when it cannot be opened.
  explicit Log(std::filesystem::path path);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// `event`: a short name ("stage_finished"). Invalid UTF-8 in fields becomes U+FFFD. Throws Error when the line
  /// cannot be written.
  void append(LogLevel level, std::string_view event,
              const nlohmann::ordered_json& fields = nlohmann::ordered_json::object());

 private:
  std::filesystem::path path_;
  int file_ = -1;
  std::mutex mutex_;
};

}  // namespace polar::experiment
