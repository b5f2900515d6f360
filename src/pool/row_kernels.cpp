#include "pool/row_kernels.h"

#include <cmath>
#include <cstddef>

#include "core/simd.h"

namespace polar::pool {
namespace {

using simd::BFloat16Bits;
using simd::kLanes;

struct Norm {
  const void* rows;
  int row_count, width;
  const void* weight;
  float eps;
  void* out;
};

}  // namespace
}  // namespace polar::pool

#define POLAR_KERNEL_FILE "pool/row_kernels.inc"
#include "core/foreach_target.h"

namespace polar::pool {

void normalize_rows(const void* rows, bool bfloat16, int row_count, int width, const void* weight, double eps,
                    void* out) {
  static const auto on_float = POLAR_BEST_TARGET(normalize_float);
  static const auto on_bfloat16 = POLAR_BEST_TARGET(normalize_bfloat16);
  (bfloat16 ? on_bfloat16 : on_float)({rows, row_count, width, weight, static_cast<float>(eps), out});
}

void rotate_rows(const Rotation& rotation) {
  static const auto on_float = POLAR_BEST_TARGET(rotate_float);
  static const auto on_bfloat16 = POLAR_BEST_TARGET(rotate_bfloat16);
  (rotation.bfloat16 ? on_bfloat16 : on_float)(rotation);
}

}  // namespace polar::pool
