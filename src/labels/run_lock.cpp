#include "labels/run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.h"

namespace polar::labels {
namespace {

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "an unknown host";
}

/// What the holder wrote about itself; empty when it has not (yet).
std::string holder_of(int file) {
  char text[320] = {};
  const ssize_t size = pread(file, text, sizeof text - 1, 0);
  std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  return holder.substr(0, holder.find('\n'));
}

[[noreturn]] void refuse(const std::filesystem::path& folder, int file, int reason) {
  if (reason != EWOULDBLOCK) {
    throw core::Error(
        fmt::format("{}: cannot lock the run directory: {}. Expected a file system that supports flock; "
                    "place the run on a local disk",
                    folder.string(), std::strerror(reason)));
  }
  const std::string holder = holder_of(file);
  throw core::Error(
      fmt::format("{}: another process is writing to this run ({}). One run has one writer; wait for it, stop it, or "
                  "use another run name",
                  folder.string(), holder.empty() ? "its pid is not known" : holder));
}

}  // namespace

RunLock::RunLock(std::filesystem::path folder) : folder_(std::move(folder)) {
  const std::filesystem::path path = folder_ / "run.lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    throw core::Error(
        fmt::format("{}: cannot open the run directory's lock file: {}. Expected an existing folder that "
                    "can be written to",
                    path.string(), std::strerror(errno)));
  }
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    try {
      refuse(folder_, file, reason);
    } catch (...) {
      close(file);
      throw;
    }
  }
  file_ = file;
  // The holder's name only serves a message: a full disk must not refuse the lock.
  const std::string holder = fmt::format("pid {} on {}\n", getpid(), host_name());
  if (ftruncate(file_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(file_, holder.data(), holder.size(), 0);
  }
}

RunLock::~RunLock() {
  release();
}

RunLock::RunLock(RunLock&& other) noexcept : folder_(std::move(other.folder_)), file_(std::exchange(other.file_, -1)) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  if (this != &other) {
    release();
    folder_ = std::move(other.folder_);
    file_ = std::exchange(other.file_, -1);
  }
  return *this;
}

void RunLock::release() noexcept {
  if (file_ < 0) return;
  [[maybe_unused]] const int truncated = ftruncate(file_, 0);
  close(file_);
  file_ = -1;
}

}  // namespace polar::labels
