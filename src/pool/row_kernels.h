#pragma once
// The row-wise steps of a layer between its matrix products, each in one pass over memory.

#include <cstdint>

namespace polar::pool {

/// out = x / sqrt(mean(x²) + eps) · weight, per row of `width` floats or bfloat16s, in float32, rounded once. weight
/// has the rows' type; nullptr = ones. Thread-safe. RMSNorm: Zhang and Sennrich 2019, equation 4.
void normalize_rows(const void* rows, bool bfloat16, int row_count, int width, const void* weight, double eps,
                    void* out);

/// The fused projection of `row_count` rows, [H + 2·Hkv, h] each, taken apart into q, k and v, with q and k turned.
struct Rotation {
  const void* projected = nullptr;  ///< [rows, (H + 2·Hkv)·h]
  bool bfloat16 = false;            ///< of projected, table, q, k and v
  int row_count = 0;
  int heads = 0, kv_heads = 0, head_size = 0;
  const void* table = nullptr;              ///< [context, h]: h/2 cosines, then h/2 sines of each position
  const std::int64_t* positions = nullptr;  ///< [rows]
  void *q = nullptr, *k = nullptr, *v = nullptr;
};

/// (a, b) → (a·cos − b·sin, b·cos + a·sin) for the halves a, b of every head, in float32, rounded once. Thread-safe.
/// Rotary position embedding: Su et al. 2021, section 3.4.2.
void rotate_rows(const Rotation& rotation);

}  // namespace polar::pool
