#include "search/mcts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "core/segment.h"
#include "support/fake_evaluator.h"
#include "support/subsets.h"

namespace polar::search {
namespace {

using core::Program;
using test::arbitrary_outcome;

const SearchSpace& subsets_of_three() {
  static const SearchSpace space = test::subsets_of(3);
  return space;
}

SearchOptions hand_options() {
  return {.rollouts = 100,
          .leaves_per_round = 1,
          .exploration = 0.5,
          .length_penalty = 0.3,
          .widening_factor = 10,
          .widening_exponent = 0};
}

/// An outcome of the given dense reward below 0.5.
Outcome rewarded(double dense_reward) {
  return {.answer_log_prob = 2 * std::log(2 * dense_reward), .answer_tokens = 2};
}

using Rewards = std::map<Program, double>;

bool play_round(TreeSearch& tree, const Rewards& rewards) {
  std::vector<Outcome> outcomes;
  for (const Trial& trial : tree.select()) outcomes.push_back(rewarded(rewards.at(trial.program)));
  if (outcomes.empty()) return false;
  tree.backup(outcomes);
  return true;
}

Outcome arbitrary(const Trial& trial) {
  return arbitrary_outcome(trial);
}

std::vector<Trial> play_to_the_end(TreeSearch& tree, Outcome (*rule)(const Trial&) = arbitrary) {
  std::vector<Trial> all;
  for (;;) {
    const std::vector<Trial> trials = tree.select();
    if (trials.empty()) return all;
    std::vector<Outcome> outcomes;
    for (const Trial& trial : trials) outcomes.push_back(rule(trial));
    tree.backup(outcomes);
    all.insert(all.end(), trials.begin(), trials.end());
  }
}

TEST(ChildScore, IsMeanPlusExplorationMinusLength) {
  SearchOptions options = hand_options();
  // 0.9/2 + 0.5·sqrt(ln 4 / 2) − 0.3·0.5 = 0.45 + 0.5·0.8325546 − 0.15
  EXPECT_NEAR(child_score(0.9, 2, 4, 0.5, options), 0.7162773, 1e-7);
}

TEST(WidenedChildren, IsTheRoundedUpPowerAndAtLeastOne) {
  SearchOptions options{.widening_factor = 2, .widening_exponent = 0.5};
  EXPECT_EQ(widened_children(1, options), 2);
  EXPECT_EQ(widened_children(2, options), 3);  // 2·1.414 = 2.83
  EXPECT_EQ(widened_children(9, options), 6);
  options = {.widening_factor = 0.1, .widening_exponent = 0};
  EXPECT_EQ(widened_children(50, options), 1);
}

TEST(TreeSearchTest, GivesTheHandComputedVisitsWhenExploring) {
  const Rewards rewards{{{0, 1, 2}, 0.1}, {{1, 2}, 0.4}, {{0, 2}, 0.2}, {{0, 1}, 0.1},
                        {{0}, 0.05},      {{1}, 0.05},   {{2}, 0.05}};
  TreeSearch tree("a", subsets_of_three(), hand_options(), 1);
  for (int rollout = 0; rollout < 4; ++rollout) ASSERT_TRUE(play_round(tree, rewards));
  for (const Program& child : {Program{1, 2}, Program{0, 2}, Program{0, 1}})
    EXPECT_EQ(tree.statistics(child).visits, 1);
  // All scores share the same exploration and length: the best mean, {1,2}, is descended and widened.
  ASSERT_TRUE(play_round(tree, rewards));
  EXPECT_EQ(tree.statistics({1, 2}).visits, 2);
  // {1,2}: 0.45/2 + 0.5·sqrt(ln 5/2) − 0.2 = 0.474; {0,2}: 0.2 + 0.5·sqrt(ln 5) − 0.2 = 0.634; {0,1}: 0.534.
  ASSERT_TRUE(play_round(tree, rewards));
  EXPECT_EQ(tree.statistics({0, 1, 2}).visits, 6);
  EXPECT_NEAR(tree.statistics({0, 1, 2}).reward_sum, 0.9, 1e-12);
  EXPECT_EQ(tree.statistics({1, 2}).visits, 2);
  EXPECT_NEAR(tree.statistics({1, 2}).reward_sum, 0.45, 1e-12);
  EXPECT_EQ(tree.statistics({0, 2}).visits, 2);
  EXPECT_NEAR(tree.statistics({0, 2}).reward_sum, 0.25, 1e-12);
  EXPECT_EQ(tree.statistics({0, 1}).visits, 1);
}

TEST(TreeSearchTest, GivesTheHandComputedVisitsWhenExploitingUntilTheSpaceEnds) {
  const Rewards rewards{{{0, 1, 2}, 0.1}, {{1, 2}, 0.45}, {{0, 2}, 0.2}, {{0, 1}, 0.1},
                        {{0}, 0.4},       {{1}, 0.4},     {{2}, 0.4}};
  SearchOptions options = hand_options();
  options.exploration = 0.1;
  TreeSearch tree("a", subsets_of_three(), options, 1);
  // Rollouts 5 and 6 stay under {1,2}, whose mean leads; then it is closed, and {0,2} leads and holds the last program,
  // {0}.
  while (play_round(tree, rewards)) {
  }
  EXPECT_EQ(tree.statistics({0, 1, 2}).visits, 7);
  EXPECT_EQ(tree.statistics({1, 2}).visits, 3);
  EXPECT_EQ(tree.statistics({0, 2}).visits, 2);
  EXPECT_EQ(tree.statistics({0, 1}).visits, 1);
  const SearchResult result = tree.take_result();
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.trials.size(), 7u);
  EXPECT_EQ(result.trials.back().program, (Program{0}));
}

TEST(TreeSearchTest, VirtualVisitsSpreadTheLeavesOfARound) {
  const Rewards rewards{{{0, 1, 2}, 0.1}, {{1, 2}, 0.4}, {{0, 2}, 0.2}, {{0, 1}, 0.1},
                        {{0}, 0.05},      {{1}, 0.05},   {{2}, 0.05}};
  SearchOptions options = hand_options();
  options.leaves_per_round = 4;
  options.rollouts = 6;
  TreeSearch tree("a", subsets_of_three(), options, 1);
  ASSERT_TRUE(play_round(tree, rewards));
  const std::vector<Trial> round = tree.select();
  ASSERT_EQ(round.size(), 2u) << "the budget of six leaves two";
  EXPECT_EQ(tree.statistics({1, 2}).visits, 2) << "the first leaf";
  EXPECT_NEAR(tree.statistics({1, 2}).reward_sum, 0.4, 1e-12) << "not backed up yet";
  EXPECT_EQ(tree.statistics({0, 2}).visits, 2) << "the second leaf";
  EXPECT_EQ(tree.statistics({0, 1, 2}).visits, 6);
}

TEST(TreeSearchTest, BreaksTiesByTheSmallerProgram) {
  Rewards rewards{{{0, 1, 2}, 0.1}, {{1, 2}, 0.2}, {{0, 2}, 0.2}, {{0, 1}, 0.2}, {{0}, 0.05}, {{1}, 0.05}, {{2}, 0.05}};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    TreeSearch tree("a", subsets_of_three(), hand_options(), seed);
    for (int rollout = 0; rollout < 5; ++rollout) ASSERT_TRUE(play_round(tree, rewards));
    EXPECT_EQ(tree.statistics({0, 1}).visits, 2);
  }
}

TEST(TreeSearchTest, RunsDownAChainWithOneChildANodeAndThenWidensBeyondItsShare) {
  SearchOptions options = hand_options();
  options.widening_factor = 1;
  TreeSearch tree("a", subsets_of_three(), options, 5);
  std::vector<int> lengths;
  for (const Trial& trial : play_to_the_end(tree)) lengths.push_back(trial.program.length());
  ASSERT_EQ(lengths.size(), 7u) << "a closed chain never ends the search before the space";
  EXPECT_EQ((std::vector<int>(lengths.begin(), lengths.begin() + 5)), (std::vector<int>{3, 2, 1, 1, 2}));
}

TEST(TreeSearchTest, TriesTheIdentityFirstAndAlone) {
  SearchOptions options = hand_options();
  options.rollouts = 1;
  TreeSearch tree("a", subsets_of_three(), options, 1);
  const std::vector<Trial> trials = play_to_the_end(tree);
  ASSERT_EQ(trials.size(), 1u);
  EXPECT_EQ(trials[0], (Trial{"a", Program::identity(3), {}}));
}

TEST(TreeSearchTest, NeverTriesAProgramTwiceNorLeavesSpaceOrBudget) {
  const SearchSpace space({.depth = 12, .first_layer = 2, .min_depth_ratio = 0.7, .max_depth_ratio = 1.3});
  for (const int leaves : {1, 3, 8, 500}) {
    for (const int rollouts : {1, 2, 50, 400}) {
      TreeSearch tree("x", space, {.rollouts = rollouts, .leaves_per_round = leaves}, 9);
      const std::vector<Trial> trials = play_to_the_end(tree);
      EXPECT_EQ(static_cast<int>(trials.size()), rollouts);
      std::set<Program> programs;
      for (const Trial& trial : trials) {
        EXPECT_TRUE(programs.insert(trial.program).second) << trial.program.text();
        EXPECT_GE(trial.program.length(), space.min_layers());
        EXPECT_LE(trial.program.length(), space.max_layers());
        EXPECT_TRUE(core::parse_segments(trial.program, 12, space.segment_limits()).has_value())
            << trial.program.text();
      }
    }
  }
}

TEST(TreeSearchTest, ExhaustsASmallSpaceExactly) {
  for (const int edits : {0, 1, 2}) {
    const SearchSpace space({.depth = 6,
                             .first_layer = 1,
                             .max_block = 2,
                             .min_depth_ratio = 0.5,
                             .max_depth_ratio = 1.5,
                             .max_edits = edits});
    for (const double factor : {0.5, 4.0, 1000.0}) {
      TreeSearch tree("x", space, {.rollouts = 100000, .leaves_per_round = 7, .widening_factor = factor}, 2);
      EXPECT_EQ(static_cast<double>(play_to_the_end(tree).size()), space.count()) << edits << " edits";
      EXPECT_TRUE(tree.take_result().exhausted);
    }
  }
}

TEST(TreeSearchTest, CoversMostSingleEditsOfTheDefaultSpaceByDefault) {
  const SearchSpace space({.depth = 30});
  TreeSearch tree("x", space, {}, 4);
  std::set<Program> tried;
  for (const Trial& trial : play_to_the_end(tree)) tried.insert(trial.program);
  const auto singles = space.single_edits();
  const auto covered = std::count_if(singles.begin(), singles.end(),
                                     [&](const EditedProgram& single) { return tried.contains(single.program); });
  EXPECT_GT(covered, 0.6 * static_cast<double>(singles.size()));
}

TEST(TreeSearchTest, FollowsItsRewardToTheProgramThatSolves) {
  // Skipping layer 9 helps a little and repeating layer 5 helps a little; only both together solve.
  const auto rule = [](const Trial& trial) {
    const auto layers = trial.program.layers();
    const bool skipped = std::count(layers.begin(), layers.end(), 9) == 0;
    const bool repeated = std::count(layers.begin(), layers.end(), 5) == 2;
    Outcome outcome{.correct = skipped && repeated, .answer_log_prob = -4.0 + 1.5 * skipped + 1.5 * repeated};
    return outcome;
  };
  const SearchSpace space({.depth = 16, .min_depth_ratio = 0.8});
  int solved = 0;
  for (int example = 0; example < 20; ++example) {
    TreeSearch tree(std::to_string(example), space, {.rollouts = 300}, 1);
    play_to_the_end(tree, rule);
    solved += tree.valid_count() > 0;
  }
  EXPECT_EQ(solved, 20);
}

TEST(TreeSearchTest, StopsAfterTheRoundThatBringsEnoughValidPrograms) {
  const SearchSpace space({.depth = 16});
  const auto always = [](const Trial&) { return Outcome{.correct = true}; };
  TreeSearch tree("x", space, {.leaves_per_round = 4, .stop_after_valid = 6}, 1);
  EXPECT_EQ(play_to_the_end(tree, always).size(), 8u);
  EXPECT_EQ(tree.round(), 2);
}

TEST(TreeSearchTest, ShufflesCandidatesByExampleAndSeed) {
  const SearchSpace space({.depth = 30});
  const auto play = [&](const std::string& example, std::uint64_t seed) {
    TreeSearch tree(example, space, {.rollouts = 20}, seed);
    std::vector<Program> programs;
    for (const Trial& trial : play_to_the_end(tree)) programs.push_back(trial.program);
    return programs;
  };
  EXPECT_EQ(play("a", 1), play("a", 1));
  EXPECT_NE(play("a", 1), play("b", 1));
  EXPECT_NE(play("a", 1), play("a", 2));
}

TEST(TreeSearchTest, ListsValidProgramsMostOptimalFirst) {
  const SearchSpace space({.depth = 12, .min_depth_ratio = 0.7});
  const auto rule = [](const Trial& trial) { return arbitrary_outcome(trial, 0.4); };
  TreeSearch tree("x", space, {}, 1);
  play_to_the_end(tree, rule);
  const SearchResult result = tree.take_result();
  ASSERT_GT(result.valid.size(), 20u);
  std::size_t correct = 0;
  for (const RecordedTrial& trial : result.trials) correct += trial.outcome.correct;
  EXPECT_EQ(result.valid.size(), correct);
  for (std::size_t i = 1; i < result.valid.size(); ++i) {
    const RecordedTrial& better = result.trials[result.valid[i - 1]];
    const RecordedTrial& worse = result.trials[result.valid[i]];
    EXPECT_LE(better.program.length(), worse.program.length());
    if (better.program.length() == worse.program.length()) {
      EXPECT_GE(better.outcome.margin, worse.outcome.margin);
    }
  }
}

}  // namespace
}  // namespace polar::search
