#pragma once
// Products of bfloat16 rows with packed panels by the vector instruction that multiplies pairs of bfloat16
// (AVX512-BF16).
//
// Every sum goes over the input columns in one order, two at a time, in float32, and no row sees another: a row's bits
// do not depend on the number of rows in the call (Intel, Architecture Instruction Set Extensions, VDPBF16PS).

#include <cstddef>

namespace polar::pool {

struct GemmCall;

/// Whether this processor has the instruction.
bool has_pairs();

/// Input columns of a packed panel: an even number, the last one zero where it was odd.
constexpr int pair_inputs(int inputs) {
  return (inputs + 1) / 2 * 2;
}

/// Where a panel holds weight (output column, input column): [inputs / 2][32 columns][2].
constexpr std::size_t pair_element(int column, int input) {
  constexpr int kStepElements = 64;  // 32 columns of two inputs
  return static_cast<std::size_t>(input / 2 * kStepElements + column * 2 + input % 2);
}

/// The call's rows, bfloat16, times its panels, of PackedFormat::kPairs. Needs has_pairs(). Thread-safe.
void run_pairs(const GemmCall& call);

}  // namespace polar::pool
