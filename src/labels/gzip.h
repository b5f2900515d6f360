#pragma once
// Files that may be compressed with gzip, read and written as streams in constant memory.

#include <filesystem>
#include <memory>
#include <streambuf>
#include <string_view>
#include <vector>

namespace polar::labels {

/// A file's content, decompressed when it is gzip (told by its first bytes, not by its name). Throws Error naming the
/// file and the reason, from the constructor and while reading: missing, unreadable, damaged or cut short.
class GzipReader final : public std::streambuf {
 public:
  explicit GzipReader(std::filesystem::path path);
  ~GzipReader() override;

 protected:
  int_type underflow() override;

 private:
  struct File;
  std::filesystem::path path_;
  std::unique_ptr<File> file_;
  std::vector<char> block_;
};

/// Replaces a file atomically: what is written goes to a temporary file beside it, which finish() renames. Compressed
/// when the name ends in ".gz". Destroyed before finish(), it leaves the old file. Throws Error naming the file and the
/// reason (disk full, no permission).
class GzipWriter {
 public:
  explicit GzipWriter(std::filesystem::path path);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  void write(std::string_view text);
  void finish();

 private:
  struct File;
  std::filesystem::path path_, temporary_;
  std::unique_ptr<File> file_;
};

}  // namespace polar::labels
