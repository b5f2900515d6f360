#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/seed.h"

namespace polar::eval {
namespace {

TEST(WilsonInterval, AgreesWithTheFormulaByHand) {
  // n = 10, p = 0.8, z² = 3.841459: centre (0.8 + 0.1920729) / 1.3841459, half width
  // 1.959964 · sqrt(0.016 + 0.00960365) / 1.3841459
  const Interval interval = wilson_interval(8, 10);
  EXPECT_NEAR(interval.low, 0.7167402 - 0.2265777, 1e-6);
  EXPECT_NEAR(interval.high, 0.7167402 + 0.2265777, 1e-6);
}

TEST(WilsonInterval, IsNotEmptyAtTheEnds) {
  // No hit: low is 0 and high is (z²/n) / (1 + z²/n).
  EXPECT_EQ(wilson_interval(0, 10).low, 0);
  EXPECT_NEAR(wilson_interval(0, 10).high, 0.3841459 / 1.3841459, 1e-7);
  EXPECT_NEAR(wilson_interval(10, 10).low, 1 / 1.3841459, 1e-7);
  EXPECT_EQ(wilson_interval(10, 10).high, 1);
}

TEST(WilsonInterval, HoldsTheShareAndMirrorsItsComplement) {
  for (int n : {1, 2, 7, 90, 5000}) {
    for (int hits = 0; hits <= n; hits += std::max(1, n / 13)) {
      const Interval interval = wilson_interval(hits, n);
      const double share = static_cast<double>(hits) / n;
      EXPECT_LE(0, interval.low);
      EXPECT_LE(interval.low, share);
      EXPECT_LE(share, interval.high);
      EXPECT_LE(interval.high, 1);
      EXPECT_NEAR(interval.low, 1 - wilson_interval(n - hits, n).high, 1e-12);
    }
  }
}

TEST(WilsonInterval, RefusesImpossibleCounts) {
  EXPECT_THROW(wilson_interval(0, 0), core::Error);
  EXPECT_THROW(wilson_interval(-1, 5), core::Error);
  EXPECT_THROW(wilson_interval(6, 5), core::Error);
}

TEST(Bootstrap, GivesTheQuantilesOfTheResampledMean) {
  // Two values: the mean is 0, 1/2 or 1 with chance 1/4, 1/2 and 1/4.
  const std::vector<double> two{0, 1};
  EXPECT_EQ(bootstrap_mean_interval(two, 1), (Interval{0, 1}));
  const std::vector<double> equal{3, 3, 3};
  EXPECT_EQ(bootstrap_mean_interval(equal, 1), (Interval{3, 3}));
}

TEST(Bootstrap, ComesNearTheNormalIntervalForManyValues) {
  std::vector<double> values;
  core::Random random(5);
  for (int i = 0; i < 400; ++i) values.push_back(random.uniform());
  double mean = 0, square = 0;
  for (double value : values) mean += value / 400;
  for (double value : values) square += (value - mean) * (value - mean) / 400;
  const double half = 1.96 * std::sqrt(square / 400);
  const Interval interval = bootstrap_mean_interval(values, 7, 4000);
  EXPECT_NEAR(interval.low, mean - half, 0.1 * half);
  EXPECT_NEAR(interval.high, mean + half, 0.1 * half);
}

TEST(Bootstrap, DependsOnTheSeedOnly) {
  const std::vector<double> values{1, 2, 3, 5, 8, 13, 21.5, 34};
  EXPECT_EQ(bootstrap_mean_interval(values, 3), bootstrap_mean_interval(values, 3));
  EXPECT_NE(bootstrap_mean_interval(values, 3), bootstrap_mean_interval(values, 4));
}

TEST(Bootstrap, RefusesNoValuesAndOneResample) {
  EXPECT_THROW(bootstrap_mean_interval({}, 1), core::Error);
  const std::vector<double> values{1, 2};
  EXPECT_THROW(bootstrap_mean_interval(values, 1, 1), core::Error);
}

TEST(Resamples, DrawsAsTheBootstrapOfAMeanDoes) {
  const std::vector<double> values{1, 5, 2, 8, 3}, ones(5, 1.0);
  const Resamples resamples(5, 9, 200);
  const auto interval = ratio_interval(resamples.sums(values), resamples.sums(ones));
  const Interval expected = bootstrap_mean_interval(values, 9, 200);
  EXPECT_NEAR(interval->low, expected.low, 1e-12);
  EXPECT_NEAR(interval->high, expected.high, 1e-12);
}

TEST(Resamples, CountEveryDraw) {
  const Resamples resamples(3, 4, 20);
  for (std::size_t resample = 0; resample < 20; ++resample) {
    int drawn = 0;
    for (std::size_t item = 0; item < 3; ++item) drawn += resamples.times(item)[resample];
    EXPECT_EQ(drawn, 3);
  }
  EXPECT_THROW(Resamples(0, 1, 10), core::Error);
  EXPECT_THROW(Resamples(3, 1, 1), core::Error);
  EXPECT_THROW(resamples.sums(std::vector<double>{1, 2}), core::Error);
}

TEST(RatioInterval, LeavesOutResamplesWithoutADenominator) {
  const std::vector<double> above{1, 2, 9}, below{2, 2, 0}, nothing{0, 0, 4};
  const auto interval = ratio_interval(above, below);
  EXPECT_NEAR(interval->low, 0.5 + 0.025 * 0.5, 1e-12);
  EXPECT_NEAR(interval->high, 0.5 + 0.975 * 0.5, 1e-12);
  EXPECT_FALSE(ratio_interval(above, nothing).has_value());
  const std::vector<double> tenths = {0.1 * 3, 0.1, 0.1 * 7}, whole = {3, 1, 7};  // alike up to rounding
  EXPECT_FALSE(ratio_interval(tenths, whole).has_value());
}

TEST(McNemar, AgreesWithTheBinomialByHand) {
  EXPECT_DOUBLE_EQ(mcnemar_exact_p(1, 5), 2.0 * (1 + 6) / 64);
  EXPECT_DOUBLE_EQ(mcnemar_exact_p(5, 1), 2.0 * (1 + 6) / 64);
  EXPECT_DOUBLE_EQ(mcnemar_exact_p(0, 10), 2.0 / 1024);
  EXPECT_DOUBLE_EQ(mcnemar_exact_p(2, 8), 2.0 * (1 + 10 + 45) / 1024);
  EXPECT_NEAR(mcnemar_exact_p(2, 3), 1, 1e-12);
  EXPECT_EQ(mcnemar_exact_p(4, 4), 1);
  EXPECT_EQ(mcnemar_exact_p(0, 0), 1);
}

TEST(McNemar, StaysExactForLargeCounts) {
  EXPECT_NEAR(mcnemar_exact_p(0, 1000) / std::exp2(-999), 1, 1e-10);
  EXPECT_NEAR(mcnemar_exact_p(50000, 50001), 1, 1e-9);
  // The normal approximation with continuity correction: z = (4000 - 1) / 1000.
  EXPECT_NEAR(mcnemar_exact_p(498000, 502000) / std::erfc(3.999 / std::sqrt(2.0)), 1, 5e-3);
}

TEST(McNemar, RefusesNegativeCounts) {
  EXPECT_THROW(mcnemar_exact_p(-1, 3), core::Error);
}

TEST(Holm, AgreesWithTheStepsByHand) {
  // Sorted: 0.005 · 4, 0.01 · 3, 0.03 · 2, then 0.04 · 1, which is raised to the one before.
  const std::vector<double> adjusted = holm_correction(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  ASSERT_EQ(adjusted.size(), 4u);
  EXPECT_DOUBLE_EQ(adjusted[0], 0.03);
  EXPECT_DOUBLE_EQ(adjusted[1], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[2], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[3], 0.02);
}

TEST(Holm, NeverExceedsOneAndLeavesASingleValueAlone) {
  EXPECT_EQ(holm_correction(std::vector<double>{0.9, 0.8}), (std::vector<double>{1, 1}));
  EXPECT_EQ(holm_correction(std::vector<double>{0.03}), (std::vector<double>{0.03}));
  EXPECT_TRUE(holm_correction({}).empty());
}

TEST(Holm, RefusesWhatIsNoProbability) {
  EXPECT_THROW(holm_correction(std::vector<double>{1.5}), core::Error);
  EXPECT_THROW(holm_correction(std::vector<double>{std::nan("")}), core::Error);
}

}  // namespace
}  // namespace polar::eval
