#include "pool/pair_gemm.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/simd.h"
#include "pool/gemm_call.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace polar::pool {
namespace {

using simd::BFloat16Bits;
using simd::kLanes;

}  // namespace
}  // namespace polar::pool

// AVX-512 for the epilogue, pairs of bfloat16 for the sums.
#define POLAR_TARGET pairs
#define POLAR_NATIVE_LANES 16
POLAR_PUSH_TARGET(POLAR_AVX512 ",avx512bf16")
#include "core/simd.inc"
#include "pool/gemm_epilogue.inc"
#include "pool/pair_gemm.inc"
POLAR_POP_TARGET

namespace polar::pool {

bool has_pairs() {
  __builtin_cpu_init();
  return simd::best_target() == simd::Target::kAvx512 && __builtin_cpu_supports("avx512bf16") != 0;
}

void run_pairs(const GemmCall& call) {
  pairs::run_call(call);
}

}  // namespace polar::pool

#else

namespace polar::pool {

bool has_pairs() {
  return false;
}
void run_pairs(const GemmCall&) {}

}  // namespace polar::pool

#endif
