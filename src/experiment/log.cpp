#include "experiment/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string>

#include "core/error.h"

namespace polar::experiment {
namespace {

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ms % 1000);
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kInfo:
      break;
  }
  return "info";
}

bool ends_inside_a_line(int file) {
  const off_t size = lseek(file, 0, SEEK_END);
  char last = '\n';
  return size > 0 && pread(file, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

Log::Log(std::filesystem::path path) : path_(std::move(path)) {
  file_ = open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0)
    throw core::Error(fmt::format("{}: the log cannot be opened: {}", path_.string(), std::strerror(errno)));
}

Log::~Log() {
  close(file_);
}

void Log::append(LogLevel level, std::string_view event, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json line{{"time", utc_now()}, {"level", name_of(level)}, {"event", event}};
  for (const auto& [key, value] : fields.items()) line[key] = value;
  std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  const std::lock_guard lock(mutex_);
  if (ends_inside_a_line(file_)) text.insert(0, "\n");
  const ssize_t written = write(file_, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()))
    throw core::Error(fmt::format("{}: the log cannot be written: {}", path_.string(),
                                  written < 0 ? std::strerror(errno) : "only part of a line fitted (disk full?)"));
}

}  // namespace polar::experiment
