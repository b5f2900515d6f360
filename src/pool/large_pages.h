#pragma once
// Memory for weights on large pages, where the system has them: a product walks through megabytes of weights, and with
// pages of 4 KiB the processor would look up an address for every few rows.

#include <cstddef>
#include <memory>

namespace polar::pool {

/// 64-byte aligned bytes, not initialised; freed with the last pointer to any piece of the same block. Pieces of one
/// `LargePages` lie side by side. Not thread-safe.
class LargePages {
 public:
  std::shared_ptr<std::byte> allocate(std::size_t bytes);  ///< throws std::bad_alloc

 private:
  std::shared_ptr<std::byte> block_;
  std::size_t used_ = 0, size_ = 0;
};

}  // namespace polar::pool
