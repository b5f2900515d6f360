#pragma once
// Operators of ours that take the place of LibTorch's in a loaded graph: linear with packed weights, gated linear,
// rms_norm, rotary position encoding. Fewer passes over memory, and a row's bits do not depend on the rows beside it.

#include <cstdint>
#include <string>
#include <vector>

#include "pool/row_gemm.h"

namespace torch::jit {
struct Module;
}

namespace polar::pool {

class LargePages;

/// Which operators replaced how many nodes; for logs and tests.
struct Rewrites {
  int linear = 0, gated = 0, rms_norm = 0, rotary = 0;
  int plain_linear = 0;  ///< left as they are: weights that are no constants, or of another type
};

/// Rewrites the methods of a frozen module on the CPU in place, before their first run. Patterns that do not fit stay
/// as they are. Packed copies replace the weights, those of bfloat16 in the format `halves`. They lie in
/// `memory`. The results agree with the plain graph's to rounding, not to the bit.
Rewrites use_row_operators(torch::jit::Module& module, const std::vector<std::string>& methods, PackedFormat halves,
                           LargePages& memory);

}  // namespace polar::pool
