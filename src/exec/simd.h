#pragma once
// Sixteen float lanes and the few functions the executor's own kernels need, written with the compiler's vector
// extension so that one text serves AVX-512, AVX2 and anything else. Everything here is inlined into functions that
// carry a target attribute (POLAR_FOR_EACH_TARGET).

#include <cstdint>
#include <cstring>

namespace polar::exec::simd {

#define POLAR_INLINE inline __attribute__((always_inline))

constexpr int kLanes = 16;
typedef float Floats __attribute__((vector_size(64)));
typedef std::int32_t Ints __attribute__((vector_size(64)));
typedef std::uint32_t Words __attribute__((vector_size(64)));
typedef std::uint16_t Halves __attribute__((vector_size(32)));

/// Storage form of an element: float, or bfloat16 kept as its 16 bits.
using BFloat16Bits = std::uint16_t;

POLAR_INLINE Floats splat(float value) {
  return Floats{} + value;
}

POLAR_INLINE Floats load(const float* from) {
  Floats lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

POLAR_INLINE Floats load(const BFloat16Bits* from) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  const Words words = __builtin_convertvector(halves, Words) << 16;
  Floats lanes;
  std::memcpy(&lanes, &words, sizeof lanes);
  return lanes;
}

POLAR_INLINE void store(float* to, Floats lanes) {
  std::memcpy(to, &lanes, sizeof lanes);
}

POLAR_INLINE float to_float(float value) {
  return value;
}
POLAR_INLINE float to_float(BFloat16Bits bits) {
  const std::uint32_t word = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

POLAR_INLINE void from_float(float value, float& to) {
  to = value;
}
/// Round to nearest, ties to even, as LibTorch does. Values are finite here.
POLAR_INLINE void from_float(float value, BFloat16Bits& to) {
  std::uint32_t word;
  std::memcpy(&word, &value, sizeof word);
  to = static_cast<BFloat16Bits>((word + 0x7FFFU + ((word >> 16) & 1U)) >> 16);
}

POLAR_INLINE Floats max(Floats a, Floats b) {
  return a > b ? a : b;
}

/// Sum of the lanes in one fixed order.
POLAR_INLINE float sum(Floats lanes) {
  float parts[kLanes];
  store(parts, lanes);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) parts[i] += parts[i + width];
  }
  return parts[0];
}

POLAR_INLINE float max(Floats lanes) {
  float parts[kLanes];
  store(parts, lanes);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) parts[i] = parts[i] > parts[i + width] ? parts[i] : parts[i + width];
  }
  return parts[0];
}

/// e^x for x ≤ 0, relative error below 2e-7; exactly 0 below −87. Cephes' polynomial after the usual reduction by ln 2.
POLAR_INLINE Floats exp_nonpositive(Floats x) {
  const Floats clamped = x > splat(-87.0F) ? x : splat(-87.0F);
  const Ints n = __builtin_convertvector(clamped * 1.44269504F - 0.5F, Ints);
  const Floats whole = __builtin_convertvector(n, Floats);
  const Floats r = (clamped - whole * 0.693359375F) + whole * 2.12194440e-4F;
  Floats p = splat(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const Ints exponent = (n + 127) << 23;
  Floats scale;
  std::memcpy(&scale, &exponent, sizeof scale);
  return x > splat(-87.0F) ? p * scale : splat(0.0F);
}

}  // namespace polar::exec::simd

// Defines `name` once per instruction set, each calling the always-inlined `body`, and a selector `name##_best()` that
// returns the widest one the processor has. PARAMS is the parameter list in parentheses, ARGS the argument list in
// parentheses.
#if defined(__x86_64__)
#define POLAR_FOR_EACH_TARGET(name, body, PARAMS, ARGS)                                              \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))) void name##_avx512 PARAMS { \
    body ARGS;                                                                                       \
  }                                                                                                  \
  __attribute__((target("avx2,fma"))) void name##_avx2 PARAMS {                                      \
    body ARGS;                                                                                       \
  }                                                                                                  \
  void name##_plain PARAMS {                                                                         \
    body ARGS;                                                                                       \
  }                                                                                                  \
  auto name##_best() {                                                                               \
    __builtin_cpu_init();                                                                            \
    const bool wide = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&    \
                      __builtin_cpu_supports("avx512vl");                                            \
    if (wide) return &name##_avx512;                                                                 \
    const bool middle = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");             \
    return middle ? &name##_avx2 : &name##_plain;                                                    \
  }
#else
#define POLAR_FOR_EACH_TARGET(name, body, PARAMS, ARGS) \
  void name##_plain PARAMS {                            \
    body ARGS;                                          \
  }                                                     \
  auto name##_best() {                                  \
    return &name##_plain;                               \
  }
#endif
