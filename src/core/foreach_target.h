// Compiles the file POLAR_KERNEL_FILE once per instruction set, into the namespaces avx512, avx2 and plain:
//
//   #define POLAR_KERNEL_FILE "exec/attention.inc"   // wraps its functions in namespace POLAR_TARGET
//   #include "core/foreach_target.h"
//   static const auto kernel = POLAR_BEST_TARGET(kernel_name);
//
// No include guard: a source file may compile several kernel files. Standard headers must be included before.

#include <cstdint>
#include <cstring>

#include "core/simd.h"

// POLAR_NATIVE_LANES: of a vector register; POLAR_REGISTERS: vectors of 16 lanes that fit into all of them.
#if defined(__x86_64__)
#define POLAR_TARGET avx512
#define POLAR_NATIVE_LANES 16
#define POLAR_REGISTERS 32
POLAR_PUSH_TARGET(POLAR_AVX512)
#include "core/simd.inc"
#include POLAR_KERNEL_FILE
POLAR_POP_TARGET
#undef POLAR_TARGET
#undef POLAR_NATIVE_LANES
#undef POLAR_REGISTERS

#define POLAR_TARGET avx2
#define POLAR_NATIVE_LANES 8
#define POLAR_REGISTERS 8
POLAR_PUSH_TARGET("avx2,fma")
#include "core/simd.inc"
#include POLAR_KERNEL_FILE
POLAR_POP_TARGET
#undef POLAR_TARGET
#undef POLAR_NATIVE_LANES
#undef POLAR_REGISTERS
#endif

#define POLAR_TARGET plain
#define POLAR_NATIVE_LANES 8
#define POLAR_REGISTERS 4
#include "core/simd.inc"
#include POLAR_KERNEL_FILE
#undef POLAR_TARGET
#undef POLAR_NATIVE_LANES
#undef POLAR_REGISTERS
#undef POLAR_KERNEL_FILE
