#include "core/digest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/error.h"

namespace polar::core {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

/// Every call of the SHA-256 context here can only fail when libcrypto is unusable (no memory, a provider that lacks
/// SHA-256).
void check(int openssl_result, const char* call) {
  if (openssl_result != 1) {
    throw Error(fmt::format("SHA-256: {} failed; is libcrypto installed with its default provider?", call));
  }
}

}  // namespace

struct Digest::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Digest::Digest() : state_(std::make_unique<State>()) {
  check(state_->context != nullptr, "EVP_MD_CTX_new");
  check(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr), "EVP_DigestInit_ex");
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

Digest& Digest::update(std::string_view bytes) {
  return update(bytes.data(), bytes.size());
}

Digest& Digest::update(const void* data, std::size_t size_bytes) {
  check(EVP_DigestUpdate(state_->context.get(), data, size_bytes), "EVP_DigestUpdate");
  return *this;
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(state_->context.get(), bytes.data(), &size), "EVP_DigestFinal_ex");
  std::string text;
  text.reserve(std::size_t{2} * size);
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string sha256(std::string_view bytes) {
  return Digest().update(bytes).finish();
}

std::string sha256_file(const std::filesystem::path& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw Error(fmt::format("{}: cannot open to compute its digest: {}", path.string(), std::strerror(errno)));
  struct Closer {
    int file;
    ~Closer() { ::close(file); }
  } closer{file};
  Digest digest;
  std::vector<char> block(kBlockBytes);
  while (true) {
    ssize_t count = ::read(file, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw Error(fmt::format("{}: cannot read to compute its digest: {}", path.string(), std::strerror(errno)));
    if (count == 0) return digest.finish();
    digest.update(block.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace polar::core
