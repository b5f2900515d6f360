#include "search/best_first.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/subsets.h"

namespace polar::search {
namespace {

using core::Program;

const SearchSpace& subsets_of_four() {
  static const SearchSpace space = test::subsets_of(4);
  return space;
}

/// Programs of four layers: the fewer of layers 2 and 3 run, the higher the reward.
Outcome helped(const Trial& trial) {
  const auto layers = trial.program.layers();
  const auto kept = std::ranges::count(layers, 2) + std::ranges::count(layers, 3);
  return {.answer_log_prob = -1.0 - static_cast<double>(kept)};
}

std::vector<Program> played(Search& search) {
  std::vector<Program> programs;
  for (auto trials = search.select(); !trials.empty(); trials = search.select()) {
    std::vector<Outcome> outcomes;
    for (const Trial& trial : trials) outcomes.push_back(helped(trial));
    search.backup(outcomes);
    for (const Trial& trial : trials) programs.push_back(trial.program);
  }
  return programs;
}

std::size_t place(const std::vector<Program>& programs, const Program& program) {
  return static_cast<std::size_t>(std::ranges::find(programs, program) - programs.begin());
}

TEST(BestFirstSearchTest, ExtendsTheBestProgramSoFar) {
  const SearchOptions options{.rollouts = 100, .leaves_per_round = 1, .length_penalty = 0};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    BestFirstSearch search("a", subsets_of_four(), options, seed);
    const std::vector<Program> programs = played(search);
    EXPECT_EQ(programs.size(), 15U) << "every non-empty subset";
    // A child of the identity that helps is extended before any other child of the identity is tried.
    const std::size_t first_good = std::min(place(programs, {0, 1, 3}), place(programs, {0, 1, 2}));
    ASSERT_LT(first_good + 1, programs.size());
    EXPECT_EQ(programs[first_good + 1].length(), 2);
  }
}

TEST(BestFirstSearchTest, PrefersTheShorterOfEqualRewardsByTheLengthPenalty) {
  const SearchOptions options{.rollouts = 100, .leaves_per_round = 1, .length_penalty = 0.4};
  BestFirstSearch search("a", subsets_of_four(), options, 1);
  const std::vector<Program> programs = played(search);
  EXPECT_EQ(programs[1].length(), 3);
  EXPECT_EQ(programs[2].length(), 2) << "0.1 a layer outweighs these rewards";
}

TEST(BeamSearchTest, KeepsTheBestOfEachLevel) {
  const SearchOptions options{
      .rollouts = 100, .leaves_per_round = 3, .length_penalty = 0, .beam_width = 2, .beam_children = 2};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    BeamSearch search("a", subsets_of_four(), options, seed);
    const std::vector<Program> programs = played(search);
    for (int i = 1; i <= 4; ++i) EXPECT_EQ(programs[static_cast<std::size_t>(i)].length(), 3) << "the first level";
    // Both kept programs lack layer 2 or 3, so every child of theirs does.
    for (std::size_t i = 5; i < programs.size() && programs[i].length() == 2; ++i)
      EXPECT_FALSE(programs[i] == (Program{2, 3})) << "seed " << seed;
  }
}

TEST(BeamSearchTest, BeginsAgainAtTheIdentityWhenALevelHasNoChildren) {
  const SearchSpace space({.depth = 8, .first_layer = 0, .max_block = 1, .min_depth_ratio = 0.5, .max_edits = 1});
  const SearchOptions options{.rollouts = 100, .beam_width = 1, .beam_children = 3};
  BeamSearch search("a", space, options, 1);
  EXPECT_EQ(static_cast<double>(played(search).size()), space.count()) << "all single edits, three a descent";
}

}  // namespace
}  // namespace polar::search
