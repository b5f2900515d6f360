#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.h"

namespace polar::core {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what, int reason) {
  const bool full = reason == ENOSPC || reason == EDQUOT;
  throw Error(fmt::format("{}: cannot {}: {}{}", path.string(), what, std::strerror(reason),
                          full ? "; free some space, then run the same command again" : ""));
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

/// Removes the temporary file unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  bool rename_to(const fs::path& target) { return renamed_ = ::rename(path_.c_str(), target.c_str()) == 0; }

 private:
  fs::path path_;
  bool renamed_ = false;
};

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// A name that no other thread or process uses at the same time, in the folder of `path`.
fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return folder_of(path) / fmt::format(".{}.{}.{}.tmp", path.filename().string(), ::getpid(), counter++);
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    ssize_t count = ::write(file, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

std::string read_file(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(path, "open", errno);
  std::string content;
  std::vector<char> block(std::size_t{1} << 16);
  while (true) {
    ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path, "read", errno);
    if (count == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
  }
}

void write_file(const fs::path& path, std::string_view content) {
  const fs::path temporary_path = temporary_name(path);
  Descriptor file(::open(temporary_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) fail(path, "write (creating a temporary file beside it)", errno);
  TemporaryFile temporary(temporary_path);
  if (!write_all(file.get(), content)) fail(path, "write", errno);
  if (::fsync(file.get()) != 0) fail(path, "write to disk", errno);
  if (!file.close()) fail(path, "write", errno);
  if (!temporary.rename_to(path)) fail(path, "replace", errno);
  // The rename itself reaches the disk with its folder; some file systems cannot sync a folder, which loses nothing but
  // that promise.
  Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
}

void ensure_folder(const fs::path& path) {
  std::error_code reason;
  fs::create_directories(path, reason);
  if (!reason && !fs::is_directory(path, reason) && !reason) reason = std::make_error_code(std::errc::not_a_directory);
  if (reason) {
    throw UsageError(fmt::format("{}: cannot create this folder: {}; name another", path.string(), reason.message()));
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0) {
    throw UsageError(fmt::format("{}: cannot write to this folder: {}; change its permissions or name another",
                                 path.string(), std::strerror(errno)));
  }
}

}  // namespace polar::core
