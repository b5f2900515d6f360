#include "pool/gemm_rate.h"

#include <gtest/gtest.h>

namespace polar::pool {
namespace {

TEST(GemmRate, NamesTheFastestWayAndCountsOperations) {
  EXPECT_EQ(row_flop({{3, 4}, {5, 2}}), 2 * 3 * 4 + 2 * 5 * 2);
  for (DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    const GemmRate rate = measure_gemm_rate({{64, 48}, {16, 64}}, {dtype, 24, 2, 0.01});
    EXPECT_GT(rate.flop_per_s, 0);
    EXPECT_FALSE(rate.way.empty());
  }
}

}  // namespace
}  // namespace polar::pool
