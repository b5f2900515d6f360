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

/// Logits whose masses are summed in float32 before they go to a double.
constexpr std::size_t kBlock = 1024;

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

void read_required_set(std::span<const float> logits, const TokenSet& set, double log_total, RowReading& reading) {
  static const auto highest = POLAR_BEST_TARGET(highest_on_both_sides);
  static const auto mass_inside = POLAR_BEST_TARGET(mass_of_set);
  float inside = kMinusInfinity, outside = kMinusInfinity;
  double mass = 0;
  highest(logits.data(), set.data(), logits.size(), &inside, &outside);
  mass_inside(logits.data(), set.data(), logits.size(), inside, &mass);
  reading.required_log_prob = std::min(0.0, std::log(mass) + static_cast<double>(inside) - log_total);
  reading.margin = static_cast<double>(inside) - static_cast<double>(outside);
}

}  // namespace

RowReading read_row(std::span<const float> logits, const Required& required, const Draw& draw) {
  static const auto highest = POLAR_BEST_TARGET(highest_of);
  static const auto mass_above = POLAR_BEST_TARGET(mass_of);
  static const auto count = POLAR_BEST_TARGET(count_nan);
  float top = 0;
  double mass = 0;
  int odd = 0;
  count(logits.data(), logits.size(), &odd);
  highest(logits.data(), logits.size(), &top);
  mass_above(logits.data(), logits.size(), top, &mass);
  const double log_total = std::log(mass) + static_cast<double>(top);
  RowReading reading;
  if (odd > 0 || !std::isfinite(log_total)) {
    reading.next = kNoToken;
    return reading;
  }
  reading.next = draw_token(logits, top, draw);
  reading.next_log_prob = std::min(0.0, logits[static_cast<std::size_t>(reading.next)] - log_total);
  if (required.token >= 0) {
    read_required_token(logits, required.token, log_total, reading);
  } else if (required.any_of != nullptr) {
    read_required_set(logits, *required.any_of, log_total, reading);
  }
  return reading;
}

}  // namespace polar::exec
