#include "core/seed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "core/digest.h"

namespace polar::core {
namespace {

// First outputs of the reference splitmix64 (https://prng.di.unimi.it/splitmix64.c) for the seeds 1234567 and 0.
TEST(CounterRandom, GivesTheDrawsOfTheReferenceSplitmix64) {
  const CounterRandom random(1234567);
  EXPECT_EQ(random.at(0), 6457827717110365317ULL);
  EXPECT_EQ(random.at(1), 3203168211198807973ULL);
  EXPECT_EQ(random.at(2), 9817491932198370423ULL);
  EXPECT_EQ(CounterRandom(0).at(0), 0xE220A8397B1DCDAFULL);
}

TEST(CounterRandom, StaysStrictlyBetweenZeroAndOne) {
  const CounterRandom random(5);
  double sum = 0, least = 1, most = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.uniform_at(static_cast<std::uint64_t>(i));
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  EXPECT_GT(least, 0.0);
  EXPECT_LT(most, 1.0);
  EXPECT_NEAR(sum / kDraws, 0.5, 5.0 / std::sqrt(12.0 * kDraws));
}

TEST(Random, DrawsWhatItsCounterDraws) {
  Random random(1234567);
  const CounterRandom counter(1234567);
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(random(), counter.at(i));
}

TEST(Random, DrawsBelowABoundUniformly) {
  Random random(11);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  double chi_square = 0;
  for (int count : counts) chi_square += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_square, 22.5);  // 6 degrees of freedom, p = 0.001
}

TEST(Random, HasNoModuloBiasForHugeBounds) {
  // 3/4 of the range: a plain remainder would give the lower third of it twice as often.
  Random random(12);
  const std::uint64_t bound = 3ULL << 62;
  int lower_third = 0;
  for (int i = 0; i < 30000; ++i) lower_third += random.below(bound) < bound / 3;
  EXPECT_NEAR(lower_third, 10000, 5 * std::sqrt(30000 * (1 / 3.0) * (2 / 3.0)));
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, ShufflesEveryOrderEquallyOften) {
  Random random(13);
  std::vector<int> counts(6, 0);
  for (int i = 0; i < 60000; ++i) {
    std::vector<int> items{0, 1, 2};
    random.shuffle(items);
    ++counts[static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2]))];
  }
  double chi_square = 0;
  for (int count : counts) chi_square += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_square, 20.5);  // 5 degrees of freedom, p = 0.001
}

TEST(Random, ShufflesAlikeOnEveryPlatform) {
  std::vector<int> items(10);
  std::iota(items.begin(), items.end(), 0);
  Random random(1);
  random.shuffle(items);
  EXPECT_EQ(items, (std::vector<int>{4, 2, 8, 1, 9, 3, 0, 6, 7, 5}));
}

TEST(DeriveSeed, IsPinnedForever) {
  EXPECT_EQ(derive_seed(0, "search"), 14018309929056700930ULL);
  EXPECT_EQ(derive_seed(42, "search", "example-7"), 12017559046456308331ULL);
}

TEST(DeriveSeed, DependsOnEveryPartAndOnWhereOneEnds) {
  const std::set<std::uint64_t> seeds{derive_seed(0, "a"),      derive_seed(1, "a"),      derive_seed(0, "b"),
                                      derive_seed(0, "a", "b"), derive_seed(0, "ab"),     derive_seed(0, "", "ab"),
                                      derive_seed(0, "ab", ""), derive_seed(10, "1", ""), derive_seed(1, "01", "")};
  EXPECT_EQ(seeds.size(), 8u);  // ("ab") and ("ab", "") are the same
}

TEST(DeriveSeed, SpreadsIdsOverAllBits) {
  std::vector<int> set_bits(64, 0);
  for (int i = 0; i < 4000; ++i) {
    const std::uint64_t seed = derive_seed(7, "search", std::to_string(i));
    for (std::size_t bit = 0; bit < 64; ++bit) set_bits[bit] += static_cast<int>(seed >> bit & 1);
  }
  for (int count : set_bits) EXPECT_NEAR(count, 2000, 5 * std::sqrt(1000.0));
}

}  // namespace
}  // namespace polar::core
