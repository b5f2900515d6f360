#pragma once
// SHA-256 digests, as lower-case hexadecimal text.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace polar::core {

/// Incremental SHA-256. Not thread-safe; one per computation.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  Digest& update(std::string_view bytes);
  Digest& update(const void* data, std::size_t size_bytes);
  /// 64 hexadecimal characters. The object must not be used afterwards.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);

/// Digest of a file's content, read in blocks. Throws Error naming the file when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace polar::core
