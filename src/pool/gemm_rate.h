#pragma once
// How fast this machine multiplies rows with matrices of given shapes: what an executor's rate is measured against.

#include <string>
#include <vector>

#include "pool/module_pool.h"

namespace polar::pool {

struct GemmRate {
  double flop_per_s = 0;  ///< all threads together
  std::string way;        ///< what was fastest
};

struct GemmTrial {
  DType dtype = DType::kFloat32;
  int rows = 256;              ///< of one product
  int threads = 1;             ///< that multiply at once
  double seconds = 1;          ///< for each way
  std::string device = "cpu";  ///< on another than the CPU there is LibTorch alone
};

/// `threads` threads at once, each multiplying `rows` rows of `dtype` with every matrix in turn; weights lie in memory
/// as a model's do, not in a cache that one matrix fits. Tries LibTorch in `dtype` and in float32 (what float32 kernels
/// may use on widened weights), the row kernels, and those with pairs and tiles where there are any, `seconds` each,
/// and takes the best. Needs at least one matrix.
GemmRate measure_gemm_rate(const std::vector<MatrixShape>& matrices, const GemmTrial& trial);

}  // namespace polar::pool
