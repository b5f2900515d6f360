#include "labels/gzip.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace polar::labels {
namespace {

constexpr unsigned kBlockBytes = 1U << 18;

[[noreturn]] void fail_at(const std::filesystem::path& path, const char* what, const std::string& reason) {
  throw core::Error(fmt::format("{}: cannot {}: {}", path.string(), what, reason));
}

/// Why the last operation on the file failed; empty when it did not.
std::string reason_of(gzFile file) {
  int code = Z_OK;
  const char* message = gzerror(file, &code);
  if (code == Z_OK || code == Z_STREAM_END) return {};
  if (code == Z_ERRNO) return std::strerror(errno);
  if (code == Z_BUF_ERROR) return "it ends in the middle of the compressed data: copy it again";
  return fmt::format("damaged compressed data ({}): copy it again", message);
}

}  // namespace

struct GzipReader::File {
  gzFile handle = nullptr;
  ~File() {
    if (handle != nullptr) gzclose(handle);
  }
};

GzipReader::GzipReader(std::filesystem::path path)
    : path_(std::move(path)), file_(std::make_unique<File>()), block_(kBlockBytes) {
  file_->handle = gzopen(path_.c_str(), "rbe");
  if (file_->handle == nullptr) fail_at(path_, "open", std::strerror(errno));
  gzbuffer(file_->handle, kBlockBytes);
}

GzipReader::~GzipReader() = default;

GzipReader::int_type GzipReader::underflow() {
  const int count = gzread(file_->handle, block_.data(), kBlockBytes);
  if (count <= 0) {
    const std::string reason = reason_of(file_->handle);
    if (count < 0 || !reason.empty()) fail_at(path_, "read", reason);
    return traits_type::eof();
  }
  setg(block_.data(), block_.data(), block_.data() + count);
  return traits_type::to_int_type(block_[0]);
}

struct GzipWriter::File {
  int descriptor = -1;  ///< a duplicate, to reach the disk after gzclose()
  gzFile handle = nullptr;
  ~File() {
    if (handle != nullptr) gzclose(handle);
    if (descriptor >= 0) close(descriptor);
  }
};

GzipWriter::GzipWriter(std::filesystem::path path) : path_(std::move(path)), file_(std::make_unique<File>()) {
  temporary_ = path_;
  temporary_ += fmt::format(".{}.tmp", getpid());
  file_->descriptor = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_->descriptor < 0) fail_at(path_, "write (creating a temporary file beside it)", std::strerror(errno));
  const bool compressed = path_.extension() == ".gz";
  file_->handle = gzdopen(dup(file_->descriptor), compressed ? "wb" : "wbT");
  if (file_->handle == nullptr) fail_at(path_, "write", "out of memory");
  gzbuffer(file_->handle, kBlockBytes);
}

GzipWriter::~GzipWriter() {
  if (file_) unlink(temporary_.c_str());
}

void GzipWriter::write(std::string_view text) {
  if (text.empty() || gzfwrite(text.data(), 1, text.size(), file_->handle) == text.size()) return;
  fail_at(path_, "write", reason_of(file_->handle));
}

void GzipWriter::finish() {
  const int code = gzclose(std::exchange(file_->handle, nullptr));
  if (code != Z_OK || fsync(file_->descriptor) != 0) fail_at(path_, "write to disk", std::strerror(errno));
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_at(path_, "replace", std::strerror(errno));
  file_.reset();
}

}  // namespace polar::labels
