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

// POLAR_REGISTERS: vectors of 16 lanes that fit into the registers.
#if defined(__x86_64__)
#define POLAR_TARGET avx512
#define POLAR_REGISTERS 32
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#endif
#include "core/simd.inc"
#include POLAR_KERNEL_FILE
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef POLAR_TARGET
#undef POLAR_REGISTERS

#define POLAR_TARGET avx2
#define POLAR_REGISTERS 8
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#include "core/simd.inc"
#include POLAR_KERNEL_FILE
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef POLAR_TARGET
#undef POLAR_REGISTERS
#endif

#define POLAR_TARGET plain
#define POLAR_REGISTERS 4
#include "core/simd.inc"
#include POLAR_KERNEL_FILE
#undef POLAR_TARGET
#undef POLAR_REGISTERS
#undef POLAR_KERNEL_FILE
