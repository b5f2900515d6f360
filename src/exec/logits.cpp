#include "exec/logits.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/seed.h"
#include "exec/simd.h"

namespace polar::exec {
namespace {

using simd::Floats;
using simd::kLanes;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

POLAR_INLINE void highest_body(const float* logits, std::size_t count, float* result) {
  Floats highest = simd::splat(kMinusInfinity);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) highest = simd::max(highest, simd::load(logits + i));
  float top = simd::max(highest);
  for (; i < count; ++i) top = std::max(top, logits[i]);
  *result = top;
}

/// Σ e^(logit − top), in blocks of 1,024 so that float32 sums stay short.
POLAR_INLINE void mass_body(const float* logits, std::size_t count, float top, double* result) {
  double total = 0;
  for (std::size_t start = 0; start < count; start += 1024) {
    const std::size_t end = std::min(count, start + 1024);
    Floats sum = simd::splat(0);
    std::size_t i = start;
    for (; i + kLanes <= end; i += kLanes) sum += simd::exp_nonpositive(simd::load(logits + i) - top);
    float rest[kLanes];
    if (i < end) {
      std::fill(rest, rest + kLanes, kMinusInfinity);
      std::copy(logits + i, logits + end, rest);
      sum += simd::exp_nonpositive(simd::load(rest) - top);
    }
    total += static_cast<double>(simd::sum(sum));
  }
  *result = total;
}

POLAR_FOR_EACH_TARGET(highest_of, highest_body, (const float* logits, std::size_t count, float* result),
                      (logits, count, result))
POLAR_FOR_EACH_TARGET(mass_of, mass_body, (const float* logits, std::size_t count, float top, double* result),
                      (logits, count, top, result))

text::Token draw_token(std::span<const float> logits, float top, const Draw& draw) {
  if (draw.temperature <= 0) {
    return static_cast<text::Token>(std::find(logits.begin(), logits.end(), top) - logits.begin());
  }
  const core::CounterRandom noise(draw.noise_key);
  const auto base = static_cast<std::uint64_t>(draw.position) * logits.size();
  double best = -std::numeric_limits<double>::infinity();
  std::size_t token = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double score = logits[i] / draw.temperature - std::log(-std::log(noise.uniform_at(base + i)));
    if (score > best) best = score, token = i;
  }
  return static_cast<text::Token>(token);
}

void read_required_token(std::span<const float> logits, text::Token token, double log_total, RowReading& reading) {
  const auto at = static_cast<std::size_t>(token);
  reading.required_log_prob = logits[at] - log_total;
  static const auto highest = highest_of_best();
  float before = kMinusInfinity, after = kMinusInfinity;
  highest(logits.data(), at, &before);
  highest(logits.data() + at + 1, logits.size() - at - 1, &after);
  reading.margin = static_cast<double>(logits[at]) - static_cast<double>(std::max(before, after));
}

void read_required_set(std::span<const float> logits, const std::vector<std::uint8_t>& set, float top, double log_total,
                       RowReading& reading) {
  double mass = 0;
  float inside = kMinusInfinity, outside = kMinusInfinity;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (set[i]) {
      mass += std::exp(static_cast<double>(logits[i]) - static_cast<double>(top));
      inside = std::max(inside, logits[i]);
    } else {
      outside = std::max(outside, logits[i]);
    }
  }
  reading.required_log_prob = std::min(0.0, std::log(mass) + static_cast<double>(top) - log_total);
  reading.margin = static_cast<double>(inside) - static_cast<double>(outside);
}

}  // namespace

RowReading read_row(std::span<const float> logits, const Required& required, const Draw& draw) {
  static const auto highest = highest_of_best();
  static const auto mass_above = mass_of_best();
  float top = 0;
  double mass = 0;
  highest(logits.data(), logits.size(), &top);
  mass_above(logits.data(), logits.size(), top, &mass);
  const double log_total = std::log(mass) + static_cast<double>(top);
  RowReading reading;
  reading.next = draw_token(logits, top, draw);
  reading.next_log_prob = std::min(0.0, logits[static_cast<std::size_t>(reading.next)] - log_total);
  if (required.token >= 0) {
    read_required_token(logits, required.token, log_total, reading);
  } else if (required.any_of != nullptr) {
    read_required_set(logits, *required.any_of, top, log_total, reading);
  }
  return reading;
}

}  // namespace polar::exec
