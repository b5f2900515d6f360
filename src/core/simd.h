#pragma once
// What all targets of polar's own vector kernels have in common (core/foreach_target.h).

#include <cstdint>

namespace polar::simd {

constexpr int kLanes = 16;           ///< float32 lanes of the vectors of every target
using BFloat16Bits = std::uint16_t;  ///< storage form of a bfloat16

enum class Target { kAvx512, kAvx2, kPlain };

inline Target best_target() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Target::kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Target::kAvx2;
#endif
  return Target::kPlain;
}

}  // namespace polar::simd

// Everything between them is compiled for a processor with these features.
#define POLAR_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define POLAR_PUSH_TARGET(features) \
  POLAR_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define POLAR_POP_TARGET POLAR_PRAGMA(clang attribute pop)
#define POLAR_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"
#else
#define POLAR_PUSH_TARGET(features) POLAR_PRAGMA(GCC push_options) POLAR_PRAGMA(GCC target(features))
#define POLAR_POP_TARGET POLAR_PRAGMA(GCC pop_options)
#define POLAR_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512"
#endif

#define POLAR_INLINE inline __attribute__((always_inline))

/// The widest version of the function `name` that this processor runs.
#if defined(__x86_64__)
#define POLAR_BEST_TARGET(name)                                               \
  (polar::simd::best_target() == polar::simd::Target::kAvx512 ? &avx512::name \
   : polar::simd::best_target() == polar::simd::Target::kAvx2 ? &avx2::name   \
                                                              : &plain::name)
#else
#define POLAR_BEST_TARGET(name) (&plain::name)
#endif
