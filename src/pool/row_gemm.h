#pragma once
// Matrix products of packed rows with a weight matrix that was laid out once, when the pool was loaded.
//
// Every output is the sum of float32 multiply-adds over the input columns in one fixed order, whatever the number of
// rows in the call, so a row's bits never depend on the rows beside it: no padding, no row classes. Weights in bfloat16
// are multiplied by the processor's tiles (tile_gemm.h) or its bfloat16 instruction (pair_gemm.h), or widened to
// float32 on the way, which is exact: on processors whose bfloat16 instruction is slower than their float32 one
// (Intel's without AMX), this is faster than a bfloat16 product too.

#include <cstddef>
#include <cstdint>

#include "pool/pair_gemm.h"
#include "pool/tile_gemm.h"

namespace polar::pool {

/// Columns of the output that one panel of a packed matrix holds.
constexpr int kPanelColumns = 32;

/// How a packed matrix holds its weights: panels of 32 output columns, the last one zero-filled.
enum class PackedFormat {
  kFloat32,   ///< panels [inputs][32] of float
  kBFloat16,  ///< the same of bfloat16
  kPairs,     ///< of bfloat16, as pair_gemm.h wants it; multiplies bfloat16 rows only
  kTiles,     ///< of bfloat16, as tile_gemm.h wants it; multiplies bfloat16 rows only
};

/// The weights of y = x·Wᵀ. A view; the memory must be 64-byte aligned.
struct PackedMatrix {
  const void* panels = nullptr;
  PackedFormat format = PackedFormat::kFloat32;
  int inputs = 0;   ///< K
  int outputs = 0;  ///< N
};

constexpr int panel_count(int outputs) {
  return (outputs + kPanelColumns - 1) / kPanelColumns;
}
/// Elements that one panel takes.
constexpr std::size_t panel_elements(int inputs, PackedFormat format) {
  const int held = format == PackedFormat::kTiles   ? tile_inputs(inputs)
                   : format == PackedFormat::kPairs ? pair_inputs(inputs)
                                                    : inputs;
  return static_cast<std::size_t>(held) * kPanelColumns;
}
/// Elements that a packed [outputs, inputs] matrix takes.
constexpr std::size_t packed_elements(int outputs, int inputs, PackedFormat format) {
  return static_cast<std::size_t>(panel_count(outputs)) * panel_elements(inputs, format);
}

/// Lays out weight [outputs, inputs], row-major, of the format's element type. `gated` interleaves its two halves, gate
/// and up, in groups of 16 columns, as multiply_gated needs them; outputs / 2 must then be a multiple of 16.
template <typename Element>
void pack(const Element* weight, int outputs, int inputs, bool gated, PackedFormat format, Element* panels);

/// What becomes of a product's row. Element types of `bias`, `residual` and `out` are those of the rows.
struct Epilogue {
  const void* bias = nullptr;      ///< [N], or nullptr
  const void* residual = nullptr;  ///< [rows, N] to add, or nullptr
  void* out = nullptr;             ///< [rows, N]; rounded once
};

/// out = rows·Wᵀ (+ bias) (+ residual). rows is [row_count, K] of float or bfloat16 (`bfloat16_rows`). Thread-safe.
void multiply(const void* rows, bool bfloat16_rows, int row_count, const PackedMatrix& weight,
              const Epilogue& epilogue);

/// out [rows, N / 2] = silu(gate) · up with [gate | up] = rows·Wᵀ and W packed `gated`. Thread-safe.
/// SwiGLU: Shazeer 2020, section 2.
void multiply_gated(const void* rows, bool bfloat16_rows, int row_count, const PackedMatrix& weight, void* out);

/// Whether this processor runs the kernels well: AVX2 with FMA, or AVX-512.
bool has_row_kernels();

/// Whether this processor's vector units multiply bfloat16 natively and faster than float32: AVX512-BF16 other than
/// Intel's (where VDPBF16PS has a quarter of the rate of AMD's).
bool has_fast_bfloat16();

}  // namespace polar::pool
