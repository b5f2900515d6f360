#include "eval/restricted_permutations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::eval {
namespace {

using Permutation = std::vector<std::size_t>;

Permutation drawn(RestrictedPermutations& permutations) {
  const std::span<const std::size_t> next = permutations.next();
  return {next.begin(), next.end()};
}

std::map<Permutation, int> frequencies(const std::vector<int>& classes, int draws) {
  RestrictedPermutations permutations(classes, 5);
  std::map<Permutation, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[drawn(permutations)];
  return counts;
}

TEST(RestrictedPermutations, NeverGiveAnItemOneOfItsOwnClass) {
  core::Random random(3);
  for (int round = 0; round < 40; ++round) {
    std::vector<int> classes(2 + random.below(30));
    for (int& one : classes) one = static_cast<int>(random.below(classes.size()));
    if (!RestrictedPermutations::exist(classes)) continue;
    RestrictedPermutations permutations(classes, random());
    for (int draw = 0; draw < 20; ++draw) {
      Permutation given = drawn(permutations);
      for (std::size_t i = 0; i < given.size(); ++i) ASSERT_NE(classes[given[i]], classes[i]);
      std::ranges::sort(given);
      for (std::size_t i = 0; i < given.size(); ++i) ASSERT_EQ(given[i], i);
    }
  }
}

/// Bounds of five standard deviations.
TEST(RestrictedPermutations, DrawEveryAllowedOneAlike) {
  const struct {
    std::vector<int> classes;
    std::size_t allowed;
  } cases[] = {{{0, 1}, 1},       {{0, 1, 2}, 2},    {{0, 1, 2, 3}, 9},
               {{0, 0, 1, 1}, 4}, {{0, 0, 1, 2}, 4}, {{0, 1, 1, 2, 3}, 24}};
  for (const auto& [classes, allowed] : cases) {
    const int draws = 6000;
    const std::map<Permutation, int> counts = frequencies(classes, draws);
    EXPECT_EQ(counts.size(), allowed);
    const double expected = static_cast<double>(draws) / static_cast<double>(allowed);
    for (const auto& [permutation, count] : counts) EXPECT_NEAR(count, expected, 5 * std::sqrt(expected));
  }
}

TEST(RestrictedPermutations, ExistUnlessMoreThanHalfOfTheItemsAreAlike) {
  EXPECT_FALSE(RestrictedPermutations::exist({}));
  EXPECT_FALSE(RestrictedPermutations::exist(std::vector{0}));
  EXPECT_FALSE(RestrictedPermutations::exist(std::vector{0, 0, 0, 1, 2}));
  EXPECT_TRUE(RestrictedPermutations::exist(std::vector{0, 0, 0, 1, 2, 2}));
  EXPECT_NE(test::message_of<core::Error>([] { RestrictedPermutations({1, 1, 0}, 1); }).find("found one of 2 among 3"),
            std::string::npos);
}

TEST(RestrictedPermutations, AreTheSameForTheSameSeed) {
  const std::vector<int> classes = {0, 1, 2, 3, 0, 1, 2, 3};
  RestrictedPermutations a(classes, 1), b(classes, 1), other(classes, 2);
  const Permutation first = drawn(a);
  EXPECT_EQ(first, drawn(b));
  EXPECT_NE(first, drawn(other));
}

}  // namespace
}  // namespace polar::eval
