#include "exec/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "core/simd.h"

namespace polar::exec {
namespace {

using simd::BFloat16Bits;
using simd::kLanes;

constexpr int blocks_of(int rows) {
  return (rows + kLanes - 1) / kLanes;
}

/// Query rows, and heads of a group, whose scores are held at once.
constexpr int kRowBlock = 4, kGroupHeads = 16;

/// Everything a kernel call needs; plain data, so that every target's copy has the same signature.
struct Call {
  int heads, kv_heads, head_size, padded_head_size;
  float scale, softcap;
  int window;
  const std::byte* q;
  int rows;
  const KvSpan* spans;
  std::size_t span_count;
  int keys;                  ///< of the first row: rows of all spans
  float* queries;            ///< scratch [kRowBlock, H·h]
  float* scores;             ///< scratch [kRowBlock · heads of a group, score_stride]
  std::size_t score_stride;  ///< keys of the last row in whole blocks, and one block more
  std::byte* out;
};

/// Keys of span `s` that query row `row` sees.
inline int span_rows(const Call& call, std::size_t s, int row) {
  return call.spans[s].rows + (s + 1 == call.span_count ? row : 0);
}

}  // namespace
}  // namespace polar::exec

#define POLAR_KERNEL_FILE "exec/attention.inc"
#include "core/foreach_target.h"

namespace polar::exec {
namespace {

template <typename Element>
void scatter_keys(const AttentionShape& shape, int row, const std::byte* from, std::byte* to) {
  const auto* k = reinterpret_cast<const Element*>(from);
  const std::size_t components = static_cast<std::size_t>(shape.kv_heads) * static_cast<std::size_t>(shape.head_size);
  Element* keys =
      reinterpret_cast<Element*>(to) + static_cast<std::size_t>(row / kLanes) * components * kLanes + row % kLanes;
  for (std::size_t i = 0; i < components; ++i) keys[i * kLanes] = k[i];
}

std::size_t key_bytes(const AttentionShape& shape, int rows) {
  return static_cast<std::size_t>(blocks_of(rows) * kLanes) *
         static_cast<std::size_t>(shape.kv_heads * shape.head_size) * shape.element_bytes();
}

std::size_t value_bytes(const AttentionShape& shape, int rows) {
  return static_cast<std::size_t>(blocks_of(rows) * kLanes) *
         static_cast<std::size_t>(shape.kv_heads * shape.padded_head_size()) * shape.element_bytes();
}

}  // namespace

std::size_t AttentionShape::kv_bytes(int rows) const {
  return key_bytes(*this, rows) + value_bytes(*this, rows);
}

Buffer::Buffer(std::size_t bytes) : bytes_((bytes + 63) / 64 * 64) {
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(64, std::max<std::size_t>(bytes_, 64))));
  if (!data_) throw std::bad_alloc();
  std::memset(data_.get(), 0, bytes_);
}

KvRows::KvRows(const AttentionShape& shape, int capacity_rows) {
  if (capacity_rows > 0) grow(shape, capacity_rows);
}

KvRows KvRows::growing_to(int most_rows) {
  KvRows rows;
  rows.most_ = most_rows;
  return rows;
}

void KvRows::grow(const AttentionShape& shape, int capacity_rows) {
  // Blocks are contiguous and values row-major, so old content keeps its place.
  Buffer keys(key_bytes(shape, capacity_rows)), values(value_bytes(shape, capacity_rows));
  if (keys_) std::memcpy(keys.data(), keys_.data(), keys_.bytes());
  if (values_) std::memcpy(values.data(), values_.data(), values_.bytes());
  keys_ = std::move(keys);
  values_ = std::move(values);
  capacity_ = blocks_of(capacity_rows) * kLanes;
}

void KvRows::append(const AttentionShape& shape, const std::byte* k, const std::byte* v) {
  if (rows_ == capacity_) grow(shape, std::min(most_, std::max(kLanes, 2 * capacity_)));
  if (shape.dtype == pool::DType::kBFloat16) {
    scatter_keys<BFloat16Bits>(shape, rows_, k, keys_.data());
  } else {
    scatter_keys<float>(shape, rows_, k, keys_.data());
  }
  const std::size_t head_bytes = static_cast<std::size_t>(shape.head_size) * shape.element_bytes();
  const std::size_t padded_bytes = static_cast<std::size_t>(shape.padded_head_size()) * shape.element_bytes();
  std::byte* to = values_.data() + static_cast<std::size_t>(rows_ * shape.kv_heads) * padded_bytes;
  for (int head = 0; head < shape.kv_heads; ++head) {
    std::memcpy(to + static_cast<std::size_t>(head) * padded_bytes, v + static_cast<std::size_t>(head) * head_bytes,
                head_bytes);
  }
  ++rows_;
}

void AttentionKernel::attend(const pool::Attention& attention, const std::byte* q, int rows,
                             std::span<const KvSpan> spans, std::byte* out) {
  static const auto on_float = POLAR_BEST_TARGET(attend_float);
  static const auto on_bfloat16 = POLAR_BEST_TARGET(attend_bfloat16);
  int keys = 0;
  for (const KvSpan& span : spans) keys += span.rows;
  const auto query_floats = static_cast<std::size_t>(blocks_of(kRowBlock * shape_.heads * shape_.head_size) * kLanes);
  const auto stride = static_cast<std::size_t>((blocks_of(keys + rows - 1) + 1) * kLanes);
  const int group = std::min(kGroupHeads, shape_.heads / shape_.kv_heads);
  const std::size_t needed = (query_floats + static_cast<std::size_t>(kRowBlock * group) * stride) * sizeof(float);
  if (scratch_.bytes() < needed) scratch_ = Buffer(2 * needed);
  auto* scratch = reinterpret_cast<float*>(scratch_.data());
  const Call call{shape_.heads,
                  shape_.kv_heads,
                  shape_.head_size,
                  shape_.padded_head_size(),
                  static_cast<float>(attention.scale),
                  static_cast<float>(attention.softcap),
                  attention.window,
                  q,
                  rows,
                  spans.data(),
                  spans.size(),
                  keys,
                  scratch,
                  scratch + query_floats,
                  stride,
                  out};
  (shape_.dtype == pool::DType::kBFloat16 ? on_bfloat16 : on_float)(call);
}

}  // namespace polar::exec
