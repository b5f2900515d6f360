#include "exec/logits.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/seed.h"
#include "core/simd.h"

namespace polar::exec {
namespace {

using simd::kLanes;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

}  // namespace
}  // namespace polar::exec

#define POLAR_KERNEL_FILE "exec/logits.inc"
#include "core/foreach_target.h"

namespace polar::exec {
namespace {

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
  static const auto highest = POLAR_BEST_TARGET(highest_of);
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
  static const auto highest = POLAR_BEST_TARGET(highest_of);
  static const auto mass_above = POLAR_BEST_TARGET(mass_of);
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
