#pragma once
// The executor's own attention: key/value storage and the kernel that lets query rows attend to them.
//
// One kernel serves prefill, prefix extension and decoding, and computes every row in one fixed order of operations, so
// a row's bits do not depend on which rows run beside it, nor on how its keys are divided into spans. This replaces
// padding queries and keys to multiples of 32 (architecture.md, batch-invariant execution, rule c).

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <span>

#include "pool/manifest.h"

namespace polar::exec {

/// What the kernel must know of one layer's attention.
struct AttentionShape {
  int heads = 0;      ///< H query heads
  int kv_heads = 0;   ///< Hkv, divides H
  int head_size = 0;  ///< h
  pool::DType dtype = pool::DType::kFloat32;

  std::size_t element_bytes() const { return dtype == pool::DType::kBFloat16 ? 2 : 4; }
  int padded_head_size() const { return (head_size + 15) / 16 * 16; }
  /// Bytes of keys and values for `rows` positions.
  std::size_t kv_bytes(int rows) const;
};

/// 64-byte aligned, zero-initialised bytes.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t bytes_ = 0;
};

/// Keys and values of one program step for consecutive positions of one sequence. Keys lie in blocks of 16 positions,
/// transposed ([block][Hkv][h][16]), so that one vector holds 16 keys' component; values lie row by row, head size
/// padded to 16. Unused rows are zero. Not thread-safe.
class KvRows {
 public:
  KvRows() = default;
  explicit KvRows(const AttentionShape& shape, int capacity_rows = 0);
  /// Storage that grows by doubling, but holds no more than `most_rows` rows, which must never be passed.
  static KvRows growing_to(int most_rows);

  /// Appends one position: k and v are [Hkv·h] elements of the shape's dtype. Grows the storage as needed.
  void append(const AttentionShape& shape, const std::byte* k, const std::byte* v);
  int rows() const { return rows_; }
  std::size_t bytes() const { return keys_.bytes() + values_.bytes(); }
  const std::byte* keys() const { return keys_.data(); }
  const std::byte* values() const { return values_.data(); }

 private:
  void grow(const AttentionShape& shape, int capacity_rows);
  int rows_ = 0, capacity_ = 0, most_ = std::numeric_limits<int>::max();
  Buffer keys_, values_;
};

/// The first `rows` positions of a KvRows.
struct KvSpan {
  const std::byte* keys = nullptr;
  const std::byte* values = nullptr;
  int rows = 0;
};

/// softmax(scale · q·kᵀ) v of `rows` query rows: the first sees the keys of the spans, which together hold positions
/// 0 … n−1 in order, its own last; each following row sees one key more of the last span. q is [rows, H·h], out
/// [rows, H·h], both of the shape's dtype; arithmetic is float32. A window keeps the last `window` keys. Source of the
/// formula: Vaswani et al. 2017, section 3.2.1. Scratch is reused between calls; one kernel per thread.
class AttentionKernel {
 public:
  explicit AttentionKernel(const AttentionShape& shape) : shape_(shape) {}
  void attend(const pool::Attention& attention, const std::byte* q, int rows, std::span<const KvSpan> spans,
              std::byte* out);

 private:
  AttentionShape shape_;
  Buffer scratch_;
};

}  // namespace polar::exec
