#include "pool/large_pages.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace polar::pool {
namespace {

constexpr std::size_t kPage = 2UL << 20;
constexpr std::size_t kBlock = 8 * kPage;

}  // namespace

std::shared_ptr<std::byte> LargePages::allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + 63) / 64 * 64;
  if (used_ + rounded > size_) {
    const std::size_t size = std::max(kBlock, (rounded + kPage - 1) / kPage * kPage);
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(kPage, size));
    if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    madvise(memory, size, MADV_HUGEPAGE);  // a wish: without large pages everything works, only slower
#endif
    block_ = std::shared_ptr<std::byte>(memory, [](std::byte* block) { std::free(block); });
    used_ = 0;
    size_ = size;
  }
  std::shared_ptr<std::byte> piece(block_, block_.get() + used_);
  used_ += rounded;
  return piece;
}

}  // namespace polar::pool
