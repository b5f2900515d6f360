#include "pool/tile_gemm.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/simd.h"
#include "pool/gemm_call.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace polar::pool {
namespace {

using simd::BFloat16Bits;
using simd::kLanes;

bool processor_has_tiles() {
  constexpr unsigned kBFloat16 = 1U << 22, kTile = 1U << 24;  // leaf 7, EDX
  unsigned a = 0, b = 0, c = 0, d = 0;
  return simd::best_target() == simd::Target::kAvx512 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
         (d & kBFloat16) != 0 && (d & kTile) != 0;
}

/// Linux gives a process the tiles' state only on request (Documentation/arch/x86/xstate.rst).
bool system_permits_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace
}  // namespace polar::pool

// AVX-512 for the epilogue, its own rounding to bfloat16 included, tiles for the sums. Every processor with tiles has
// both.
#define POLAR_TARGET tiles
#define POLAR_NATIVE_LANES 16
#define POLAR_NATIVE_BFLOAT16
POLAR_PUSH_TARGET(POLAR_AVX512 ",avx512bf16,amx-tile,amx-bf16")
#include "core/simd.inc"
#include "pool/gemm_epilogue.inc"
#include "pool/tile_gemm.inc"
POLAR_POP_TARGET

namespace polar::pool {

bool has_tiles() {
  static const bool available = processor_has_tiles() && system_permits_tiles();
  return available;
}

void run_tiles(const GemmCall& call) {
  tiles::run_call(call);
}

}  // namespace polar::pool

#else

namespace polar::pool {

bool has_tiles() {
  return false;
}
void run_tiles(const GemmCall&) {}

}  // namespace polar::pool

#endif
