#include "eval/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/seed.h"

namespace polar::eval {
namespace {

constexpr double kZ95 = 1.959963984540054;  // 97.5 % quantile of the standard normal distribution

/// Quantile of sorted values, interpolated linearly.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Interval wilson_interval(std::int64_t hits, std::int64_t trials) {
  if (trials < 1 || hits < 0 || hits > trials)
    throw core::Error(
        fmt::format("Wilson interval: expected 0 ≤ hits ≤ trials and trials ≥ 1, found {} of {}", hits, trials));
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(hits) / n;
  const double shrink = 1 + kZ95 * kZ95 / n;
  const double centre = (p + kZ95 * kZ95 / (2 * n)) / shrink;
  const double half = kZ95 * std::sqrt(p * (1 - p) / n + kZ95 * kZ95 / (4 * n * n)) / shrink;
  return {hits == 0 ? 0 : std::max(0.0, centre - half), hits == trials ? 1 : std::min(1.0, centre + half)};
}

Interval bootstrap_mean_interval(std::span<const double> values, std::uint64_t seed, int resamples) {
  if (values.empty() || resamples < 2)
    throw core::Error(
        fmt::format("bootstrap: expected at least one value and two resamples, found {} values and {} resamples",
                    values.size(), resamples));
  if (std::ranges::all_of(values, [&](double value) { return value == values[0]; })) return {values[0], values[0]};
  core::Random random(seed);
  std::vector<double> means;
  means.reserve(static_cast<std::size_t>(resamples));
  for (int resample = 0; resample < resamples; ++resample) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[random.below(values.size())];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::ranges::sort(means);
  return {quantile(means, 0.025), quantile(means, 0.975)};
}

Resamples::Resamples(std::size_t items, std::uint64_t seed, int count) : items_(items), count_(count) {
  if (items < 1 || count < 2)
    throw core::Error(fmt::format(
        "bootstrap: expected at least one item and two resamples, found {} items and {} resamples", items, count));
  times_.assign(items * static_cast<std::size_t>(count), 0);
  core::Random random(seed);
  for (std::size_t resample = 0; resample < static_cast<std::size_t>(count); ++resample)
    for (std::size_t draw = 0; draw < items; ++draw)
      ++times_[random.below(items) * static_cast<std::size_t>(count) + resample];
}

std::span<const std::uint16_t> Resamples::times(std::size_t item) const {
  const auto size = static_cast<std::size_t>(count_);
  return {times_.data() + item * size, size};
}

std::vector<double> Resamples::sums(std::span<const double> values) const {
  if (values.size() != items_)
    throw core::Error(fmt::format("bootstrap: expected {} values, found {}", items_, values.size()));
  std::vector<double> result(static_cast<std::size_t>(count_), 0.0);
  for (std::size_t item = 0; item < items_; ++item) {
    if (values[item] == 0) continue;  // most figures concern few items
    const std::span<const std::uint16_t> drawn = times(item);
    for (std::size_t resample = 0; resample < result.size(); ++resample)
      result[resample] += values[item] * drawn[resample];
  }
  return result;
}

std::optional<Interval> ratio_interval(std::span<const double> numerators, std::span<const double> denominators) {
  if (numerators.size() != denominators.size())
    throw core::Error(fmt::format("bootstrap: expected as many numerators as denominators, found {} and {}",
                                  numerators.size(), denominators.size()));
  std::vector<double> ratios;
  for (std::size_t i = 0; i < numerators.size(); ++i)
    if (denominators[i] != 0) ratios.push_back(numerators[i] / denominators[i]);
  if (ratios.size() < 2) return std::nullopt;
  std::ranges::sort(ratios);
  constexpr double kRounding = 1e-12;
  if (ratios.back() - ratios.front() <= kRounding * std::abs(ratios.back())) return std::nullopt;
  return Interval{quantile(ratios, 0.025), quantile(ratios, 0.975)};
}

double mcnemar_exact_p(std::int64_t b, std::int64_t c) {
  if (b < 0 || c < 0) throw core::Error(fmt::format("McNemar: expected counts ≥ 0, found {} and {}", b, c));
  if (b == c) return 1;
  const std::int64_t n = b + c;
  const std::int64_t least = std::min(b, c);
  double log_largest = -static_cast<double>(n) * std::log(2.0);  // of C(n, least) / 2^n
  for (std::int64_t i = 1; i <= least; ++i)
    log_largest += std::log(static_cast<double>(n - i + 1)) - std::log(static_cast<double>(i));
  double sum = 0;  // of the terms, in units of the largest
  double term = 1;
  for (std::int64_t i = least; i >= 0 && term > 1e-20; --i) {
    sum += term;
    term *= static_cast<double>(i) / static_cast<double>(n - i + 1);  // C(n, i - 1) / C(n, i)
  }
  return std::min(1.0, 2 * std::exp(log_largest + std::log(sum)));
}

std::vector<double> holm_correction(std::span<const double> p_values) {
  for (double p : p_values)
    if (!(p >= 0 && p <= 1)) throw core::Error(fmt::format("Holm: expected p-values in [0, 1], found {}", p));
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - rank) * p_values[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace polar::eval
