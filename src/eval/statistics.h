#pragma once
// Intervals and tests. Pure functions, thread-safe.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace polar::eval {

struct Interval {
  double low = 0;
  double high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// Wilson's 95 % score interval of a proportion `hits`/`trials` (E. B. Wilson, JASA 22 (1927), 209–212): with z =
/// 1.959964 and p = hits/trials,
///   (p + z²/2n ± z · sqrt(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
/// Inside [0, 1] and not empty at 0 and n hits. Throws core::Error unless 0 ≤ hits ≤ trials and trials ≥ 1.
Interval wilson_interval(std::int64_t hits, std::int64_t trials);

/// 95 % percentile bootstrap interval of a mean (B. Efron, Ann. Statist. 7 (1979), 1–26): values are drawn with
/// replacement, `resamples` means are sorted, and the 2.5 % and 97.5 % quantiles are interpolated linearly between
/// neighbours (at 0.025 (R − 1) and 0.975 (R − 1), counted from 0). Same seed, same interval. Costs resamples · n
/// draws. Throws core::Error when values are empty or resamples < 2.
Interval bootstrap_mean_interval(std::span<const double> values, std::uint64_t seed, int resamples = 1000);

/// Resamples with replacement of the same items (here: examples, so that what one example contributes stays together)
/// for many figures: the draws are made once. They are those of bootstrap_mean_interval with the same seed. Immutable
/// and thread-safe; takes 2 · items · count bytes.
class Resamples {
 public:
  /// Throws core::Error when there are no items or fewer than two resamples.
  Resamples(std::size_t items, std::uint64_t seed, int count = 1000);
  int count() const { return count_; }
  /// How often each resample drew the item; count() numbers.
  std::span<const std::uint16_t> times(std::size_t item) const;
  /// One sum a resample: of values[i], as often as it drew i. Throws core::Error unless there is one value an item.
  std::vector<double> sums(std::span<const double> values) const;

 private:
  std::size_t items_;
  int count_;
  std::vector<std::uint16_t> times_;  ///< [item][resample]
};

/// 95 % percentile interval of a ratio of sums from the sums of each resample (Resamples::sums). Resamples whose
/// denominator is 0 say nothing and are left out; nullopt when fewer than two are left, and when all are alike (up to
/// rounding, 1e-12 of the ratio): where nothing varies, a bootstrap knows no width. Throws core::Error when sizes
/// differ.
std::optional<Interval> ratio_interval(std::span<const double> numerators, std::span<const double> denominators);

/// McNemar's exact two-sided p of paired verdicts: of n = b + c examples judged differently, b go one way and c the
/// other; under the null hypothesis b is binomial(n, 1/2). (Q. McNemar, Psychometrika 12 (1947), 153–157; exact form:
/// the sign test)
///   p = min(1, 2 · sum over i = 0 … min(b, c) of C(n, i) / 2ⁿ),
/// summed from the largest term down, that term taken by logarithms, so that large n neither overflow nor underflow
/// early. 1 when n = 0. Throws core::Error when b or c is negative.
double mcnemar_exact_p(std::int64_t b, std::int64_t c);

/// Holm's step-down correction (S. Holm, Scand. J. Statist. 6 (1979), 65–70): with p sorted upwards, the adjusted i-th
/// (from 1) of m is the largest of min(1, (m − j + 1) p_j) over j ≤ i. Results stand in the order of the input. Throws
/// core::Error for a p outside [0, 1].
std::vector<double> holm_correction(std::span<const double> p_values);

}  // namespace polar::eval
