#include "exec/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "exec/simd.h"

namespace polar::exec {
namespace {

using simd::Floats;
using simd::kLanes;

constexpr int blocks_of(int rows) {
  return (rows + kLanes - 1) / kLanes;
}

/// Everything a kernel call needs; plain data, so that every target's copy has the same signature.
struct Call {
  int heads, kv_heads, head_size, padded_head_size;
  float scale, softcap;
  int window;
  const std::byte* q;
  const KvSpan* spans;
  std::size_t span_count;
  int keys;        ///< n, rows of all spans
  float* queries;  ///< scratch [H·h]
  float* scores;   ///< scratch [n padded + 16]
  std::byte* out;
};

template <typename Element>
POLAR_INLINE void score_span(const Call& call, const KvSpan& span, int kv_head, const float* query, float* scores) {
  const auto* keys = reinterpret_cast<const Element*>(span.keys);
  for (int block = 0; block < blocks_of(span.rows); ++block) {
    const Element* at = keys + static_cast<std::size_t>(block * call.kv_heads + kv_head) *
                                   static_cast<std::size_t>(call.head_size) * kLanes;
    Floats sum = simd::splat(0);
    for (int i = 0; i < call.head_size; ++i) sum += query[i] * simd::load(at + static_cast<std::size_t>(i) * kLanes);
    simd::store(scores + block * kLanes, sum * call.scale);
  }
}

/// Scores become e^(s − max) in place, lanes beyond n zero; returns their sum.
POLAR_INLINE float exponentiate(const Call& call, float* scores) {
  if (call.softcap > 0) {
    for (int j = 0; j < call.keys; ++j) scores[j] = call.softcap * std::tanh(scores[j] / call.softcap);
  }
  constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
  if (call.window > 0) std::fill(scores, scores + std::max(0, call.keys - call.window), kMinusInfinity);
  const int blocks = blocks_of(call.keys);
  std::fill(scores + call.keys, scores + blocks * kLanes, kMinusInfinity);
  Floats highest = simd::load(scores);
  for (int block = 1; block < blocks; ++block) highest = simd::max(highest, simd::load(scores + block * kLanes));
  const float top = simd::max(highest);
  Floats total = simd::splat(0);
  for (int block = 0; block < blocks; ++block) {
    const Floats weights = simd::exp_nonpositive(simd::load(scores + block * kLanes) - top);
    total += weights;
    simd::store(scores + block * kLanes, weights);
  }
  return simd::sum(total);
}

/// out[0 … 16·kVectors) = Σ_j weights[j] · values[j] / total, keys in order.
template <typename Element, int kVectors>
POLAR_INLINE void mix_values(const Call& call, int kv_head, int column, const float* weights, float total,
                             float* mixed) {
  Floats sums[kVectors] = {};
  const std::size_t stride = static_cast<std::size_t>(call.kv_heads) * static_cast<std::size_t>(call.padded_head_size);
  const std::size_t offset = static_cast<std::size_t>(kv_head) * static_cast<std::size_t>(call.padded_head_size) +
                             static_cast<std::size_t>(column);
  for (std::size_t s = 0; s < call.span_count; ++s) {
    const auto* values = reinterpret_cast<const Element*>(call.spans[s].values) + offset;
    for (int j = 0; j < call.spans[s].rows; ++j) {
      const float weight = *weights++;
      for (int i = 0; i < kVectors; ++i) sums[i] += weight * simd::load(values + i * kLanes);
      values += stride;
    }
  }
  for (int i = 0; i < kVectors; ++i) simd::store(mixed + i * kLanes, sums[i] / total);
}

template <typename Element>
POLAR_INLINE void attend_row(const Call& call) {
  const auto* q = reinterpret_cast<const Element*>(call.q);
  auto* out = reinterpret_cast<Element*>(call.out);
  for (int i = 0; i < call.heads * call.head_size; ++i) call.queries[i] = simd::to_float(q[i]);
  const int group = call.heads / call.kv_heads;
  for (int head = 0; head < call.heads; ++head) {
    const int kv_head = head / group;
    float* scores = call.scores;
    for (std::size_t s = 0; s < call.span_count; ++s) {
      score_span<Element>(call, call.spans[s], kv_head, call.queries + head * call.head_size, scores);
      scores += call.spans[s].rows;  // the next span overwrites the lanes this one did not fill
    }
    const float total = exponentiate(call, call.scores);
    float mixed[4 * kLanes];
    for (int column = 0; column < call.head_size; column += 4 * kLanes) {
      const int columns = std::min(4 * kLanes, call.head_size - column);
      if (columns > 2 * kLanes) {
        if (call.padded_head_size - column >= 4 * kLanes) {
          mix_values<Element, 4>(call, kv_head, column, call.scores, total, mixed);
        } else {
          mix_values<Element, 3>(call, kv_head, column, call.scores, total, mixed);
        }
      } else if (columns > kLanes) {
        mix_values<Element, 2>(call, kv_head, column, call.scores, total, mixed);
      } else {
        mix_values<Element, 1>(call, kv_head, column, call.scores, total, mixed);
      }
      for (int i = 0; i < columns; ++i) simd::from_float(mixed[i], out[head * call.head_size + column + i]);
    }
  }
}

POLAR_FOR_EACH_TARGET(attend_float, attend_row<float>, (const Call& call), (call))
POLAR_FOR_EACH_TARGET(attend_bfloat16, attend_row<simd::BFloat16Bits>, (const Call& call), (call))

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
  if (rows_ == capacity_) grow(shape, std::max(kLanes, 2 * capacity_));
  if (shape.dtype == pool::DType::kBFloat16) {
    scatter_keys<simd::BFloat16Bits>(shape, rows_, k, keys_.data());
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

void AttentionKernel::attend(const pool::Attention& attention, const std::byte* q, std::span<const KvSpan> spans,
                             std::byte* out) {
  static const auto on_float = attend_float_best();
  static const auto on_bfloat16 = attend_bfloat16_best();
  int keys = 0;
  for (const KvSpan& span : spans) keys += span.rows;
  const auto query_floats = static_cast<std::size_t>(blocks_of(shape_.heads * shape_.head_size) * kLanes);
  const std::size_t needed = (query_floats + static_cast<std::size_t>((blocks_of(keys) + 2) * kLanes)) * sizeof(float);
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
                  spans.data(),
                  spans.size(),
                  keys,
                  scratch,
                  scratch + query_floats,
                  out};
  (shape_.dtype == pool::DType::kBFloat16 ? on_bfloat16 : on_float)(call);
}

}  // namespace polar::exec
