#pragma once
// One call of a matrix product's kernel; for row_gemm.cpp and tile_gemm.cpp.

#include <cstddef>

#include "core/simd.h"
#include "pool/row_gemm.h"

namespace polar::pool {

/// One chunk of rows against a range of panels; plain data, so that every target's copy has the same signature.
struct GemmCall {
  const void* rows = nullptr;  ///< [row_count, inputs]
  int row_count = 0;
  PackedMatrix weight;
  int first_panel = 0, end_panel = 0;
  bool gated = false;
  bool bfloat16_rows = false;  ///< element type of rows and epilogue
  Epilogue epilogue;           ///< residual and out of this chunk
  // Scratch, where the call needs it.
  float* wide_rows = nullptr;               ///< bfloat16 rows as float32
  float* wide_panel = nullptr;              ///< one panel as float32; nullptr: it is widened in registers
  simd::BFloat16Bits* half_rows = nullptr;  ///< [rows, inputs] laid out or rounded up as tiles or pairs need it
  float* tile_sums = nullptr;               ///< [2, rows rounded up to a tile, 32]: the products with two panels
};

constexpr int kGemmVectors = kPanelColumns / simd::kLanes;
static_assert(kGemmVectors == 2, "the gated epilogue takes one vector of gates and one of ups");

inline std::size_t panel_bytes(const PackedMatrix& weight) {
  return panel_elements(weight.inputs, weight.format) *
         (weight.format == PackedFormat::kFloat32 ? sizeof(float) : sizeof(simd::BFloat16Bits));
}

}  // namespace polar::pool
