// Each published search behaves as its source does.

#include "search/presets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "search/chain.h"
#include "search/mcts.h"
#include "search/search_factory.h"
#include "support/fake_evaluator.h"
#include "support/subsets.h"

namespace polar::search {
namespace {

using core::Program;
using test::RuleEvaluator;

SearchPlan preset(Algorithm algorithm, int depth, int rollouts = 100) {
  SearchPlan plan{{.depth = depth, .first_layer = 0}, {.rollouts = rollouts}};
  plan.options.algorithm = algorithm;
  return with_preset(std::move(plan));
}

SearchResult played(const SearchPlan& plan, const RuleEvaluator::Rule& rule, const std::string& example = "a") {
  const SearchSpace space(plan.space);
  auto search = SearchFactory(space, plan.options, 3).make(example);
  for (auto trials = search->select(); !trials.empty(); trials = search->select()) {
    EXPECT_EQ(trials.size(), 1U) << "published searches learn from every trial before the next";
    search->backup(std::vector<Outcome>{rule(trials[0])});
  }
  return search->take_result();
}

Outcome wrong(const Trial&) {
  return {};
}

/// Edits that lead to each program along the way it was made: the fewest that a space of step edits needs is not known,
/// so this counts the steps by which the program and the identity differ in length and order, at least.
int steps_from_identity(const Program& program, int depth) {
  std::vector<int> runs(static_cast<std::size_t>(depth), 0);
  for (const Program::Layer layer : program.layers()) ++runs[layer];
  return static_cast<int>(std::ranges::count_if(runs, [](int count) { return count != 1; }));
}

TEST(WithPreset, SetsWhatTheSourcesSay) {
  const SearchPlan authors = preset(Algorithm::kAuthors, 28);
  EXPECT_EQ(authors.options.length_penalty, 5);
  EXPECT_DOUBLE_EQ(authors.options.exploration * authors.options.exploration, 2);
  EXPECT_TRUE(authors.options.log_visits_plus_one);
  EXPECT_EQ(authors.space.later_max_block, 1);
  EXPECT_EQ(authors.options.random_child, 0.1);
  EXPECT_EQ(SearchSpace(authors.space).min_layers(), 16);
  EXPECT_EQ(SearchSpace(authors.space).max_layers(), 32);
  const SearchPlan drllm = preset(Algorithm::kDrLlm, 28);
  EXPECT_EQ(drllm.options.exploration, 1.8);
  EXPECT_EQ(drllm.options.length_penalty, 3);
  EXPECT_EQ(drllm.options.random_child, 0.1);
  EXPECT_TRUE(drllm.options.stop_when_rescued);
  EXPECT_EQ(SearchSpace(drllm.space).max_layers(), 56);
  const SearchPlan replication = preset(Algorithm::kReplication, 28);
  EXPECT_EQ(replication.options.exploration, 1.414);
  EXPECT_EQ(widened_children(9, replication.options), 6);
  EXPECT_EQ(replication.options.length_penalty, 5);
  const SearchPlan paper = preset(Algorithm::kPaper, 20);
  EXPECT_EQ(SearchSpace(paper.space).min_layers(), 18);
  EXPECT_EQ(SearchSpace(paper.space).max_layers(), 23);
  EXPECT_EQ(paper.space.max_block, 4);
  EXPECT_EQ(paper.space.max_extra_runs, 4);
  EXPECT_DOUBLE_EQ(paper.options.exploration * paper.options.exploration, 2);
  EXPECT_EQ(paper.options.length_penalty, 5);
  for (const SearchPlan& plan : {authors, drllm, replication, paper}) {
    EXPECT_EQ(plan.options.reward, RewardKind::kBinary);
    EXPECT_EQ(plan.options.rollouts, 100);
  }
}

TEST(WithPreset, LeavesOtherAlgorithmsAlone) {
  const SearchPlan plan = preset(Algorithm::kGuided, 20);
  EXPECT_EQ(plan.options.text(), SearchOptions{.rollouts = 100}.text());
  EXPECT_EQ(plan.space.text(), (SpaceOptions{.depth = 20, .first_layer = 0}.text()));
}

TEST(WithPreset, LeavesSkipsAndRepeatsAsConfigured) {
  SearchPlan plan{{.depth = 20, .first_layer = 0, .allow_repeat = false}, {.rollouts = 100}};
  plan.options.algorithm = Algorithm::kPaper;
  plan = with_preset(std::move(plan));
  EXPECT_FALSE(plan.space.allow_repeat);
  EXPECT_TRUE(plan.space.allow_skip);
  const SearchSpace space(plan.space);
  ASSERT_FALSE(space.candidates().empty());
  for (const core::Edit& edit : space.candidates()) EXPECT_TRUE(edit.is_skip());
  for (const RecordedTrial& trial : played(plan, wrong).trials) EXPECT_LE(trial.program.length(), 20);
}

TEST(WithPreset, LeavesThePapersDepthBudgetAsConfiguredAndSetsTheBoundsOfReleasedCode) {
  SearchPlan plan{{.depth = 20, .min_depth_ratio = 0.95, .max_depth_ratio = 1.05}, {.rollouts = 100}};
  for (const Algorithm algorithm : {Algorithm::kPaper, Algorithm::kReplication}) {
    plan.options.algorithm = algorithm;
    const SearchSpace space(with_preset(plan).space);
    EXPECT_EQ(std::pair(space.min_layers(), space.max_layers()), std::pair(19, 21));
  }
  plan.options.algorithm = Algorithm::kDrLlm;
  EXPECT_EQ(SearchSpace(with_preset(plan).space).max_layers(), 40);
}

TEST(AuthorsBounds, AreThoseOfTheReleasedCodeByDepth) {
  EXPECT_EQ(authors_bounds(28), (LayerBounds{16, 32}));
  EXPECT_EQ(authors_bounds(24), (LayerBounds{16, 28}));
  EXPECT_EQ(authors_bounds(36), (LayerBounds{24, 44}));
  EXPECT_EQ(authors_bounds(48), (LayerBounds{36, 54}));
  EXPECT_EQ(authors_bounds(30), (LayerBounds{18, 34}));
}

TEST(ChainScore, CountsTheParentsVisitsPlusOneWhereAsked) {
  SearchOptions options{.exploration = 2, .length_penalty = 3};
  // 1/4 + 2·sqrt(ln 9 / 4) − 3·0.9 and with ln 10
  EXPECT_NEAR(chain_score(1, 4, 9, 0.9, options), 0.25 + 2 * 0.7411519 - 2.7, 1e-6);
  options.log_visits_plus_one = true;
  EXPECT_NEAR(chain_score(1, 4, 9, 0.9, options), 0.25 + 2 * 0.7587136 - 2.7, 1e-6);
}

TEST(ChainSearchTest, CallsTheSpaceExhaustedOnlyWhenAllOfItWasTried) {
  const auto play = [](int depth) {
    const SearchSpace subsets = test::subsets_of(depth);
    const SearchOptions options{.rollouts = 100, .leaves_per_round = 1, .random_child = 0.5};
    ChainSearch search("a", subsets, options, 1);
    for (auto trials = search.select(); !trials.empty(); trials = search.select())
      search.backup(std::vector<Outcome>(trials.size()));
    return search.take_result();
  };
  const SearchResult all_of_three = play(2);
  EXPECT_EQ(all_of_three.trials.size(), 3U);
  EXPECT_TRUE(all_of_three.exhausted);
  const SearchResult some_of_fifteen = play(4);
  EXPECT_LT(some_of_fifteen.trials.size(), 15U) << "a node it descends to at random is passed, not tried";
  EXPECT_FALSE(some_of_fifteen.exhausted);
}

// With ε = 0, by hand: the identity is tried; it is expanded and a random child a of it tried; a is its only visited
// child, so a is expanded and a child ab of it tried; then abc, which has no child. Visited children rank before
// unvisited ones, so every further simulation ends at abc again, and the search gives up.
TEST(ChainSearchTest, WithoutRandomStepsRunsDownOneChainAndGivesUp) {
  const SearchSpace subsets = test::subsets_of(4);
  for (const double reward : {0.0, 1.0}) {
    ChainSearch search("a", subsets, {.rollouts = 15, .leaves_per_round = 1, .random_child = 0}, 1);
    for (auto trials = search.select(); !trials.empty(); trials = search.select())
      search.backup(std::vector<Outcome>{{.correct = reward > 0}});
    const SearchResult result = search.take_result();
    ASSERT_EQ(result.trials.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      const Program& program = result.trials[i].program;
      EXPECT_EQ(program.length(), 4 - static_cast<int>(i));
      const Program& before = result.trials[i > 0 ? i - 1 : 0].program;
      EXPECT_TRUE(std::ranges::includes(before.layers(), program.layers()));
    }
    EXPECT_FALSE(result.exhausted);
  }
}

TEST(AuthorsPreset, RunsDownAChainAndHardlyTriesASingleEdit) {
  const SearchPlan plan = preset(Algorithm::kAuthors, 28);
  std::vector<int> changed;
  const SearchResult result = played(plan, wrong);
  for (const RecordedTrial& trial : result.trials) changed.push_back(steps_from_identity(trial.program, 28));
  ASSERT_EQ(changed.size(), 100U);
  EXPECT_EQ(changed[0], 0);
  const SearchSpace space(plan.space);
  std::set<Program> singles;
  for (const EditedProgram& single : space.single_edits()) singles.insert(single.program);
  int single_edits = 0;
  for (const RecordedTrial& trial : result.trials) single_edits += singles.contains(trial.program) ? 1 : 0;
  EXPECT_LE(single_edits, 3) << "about one of a hundred";
  std::ranges::sort(changed);
  EXPECT_GE(changed[50], 4) << "median depth of the chain";
}

TEST(AuthorsPreset, NestsEditsAndRunsNoLayerMoreThanTwice) {
  int nested = 0;
  for (const char* example : {"a", "b", "c"}) {
    for (const RecordedTrial& trial : played(preset(Algorithm::kAuthors, 28), wrong, example).trials) {
      std::map<int, int> runs;
      for (const Program::Layer layer : trial.program.layers()) ++runs[layer];
      for (const auto& [layer, count] : runs) EXPECT_LE(count, 2);
      nested += core::parse_segments(trial.program, 28, {4, 2}).has_value() ? 0 : 1;
    }
  }
  EXPECT_GT(nested, 0) << "some programs are outside segment form";
}

TEST(AuthorsPreset, UsesBlocksForTheFirstEditOnly) {
  const SearchSpace space(preset(Algorithm::kAuthors, 28).space);
  const auto first = space.extend(space.identity(), {10, 4, -1});
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(space.extend(*first, {3, 1, 1}).has_value());
  EXPECT_FALSE(space.extend(*first, {3, 2, 1}).has_value());
}

TEST(DrLlmPreset, StopsWhenAWrongIdentityIsRescued) {
  const auto rule = [](const Trial& trial) { return Outcome{.correct = trial.program.length() > 29}; };
  const SearchResult result = played(preset(Algorithm::kDrLlm, 28, 500), rule);
  ASSERT_FALSE(result.valid.empty());
  EXPECT_EQ(result.valid.size(), 1U);
  EXPECT_TRUE(result.trials.back().outcome.correct);
}

TEST(DrLlmPreset, StopsWhenARightIdentityIsCutByTwoLayers) {
  const auto rule = [](const Trial&) { return Outcome{.correct = true}; };
  const SearchResult result = played(preset(Algorithm::kDrLlm, 28, 500), rule);
  ASSERT_GE(result.trials.size(), 2U);
  EXPECT_LE(result.trials.back().program.length(), 26);
  for (std::size_t i = 0; i + 1 < result.trials.size(); ++i) EXPECT_GT(result.trials[i].program.length(), 26);
}

TEST(DrLlmPreset, SkipsOneOrTwoLayersAndRepeatsOne) {
  const SearchSpace space(preset(Algorithm::kDrLlm, 28).space);
  for (const core::Edit& edit : space.candidates()) EXPECT_LE(edit.length, edit.is_skip() ? 2 : 1);
}

TEST(PaperPreset, TriesSingleEditsUntilEachWasTried) {
  const SearchPlan plan = preset(Algorithm::kPaper, 20, 60);
  const SearchSpace space(plan.space);
  ASSERT_GT(space.single_edits().size(), 60U);
  for (const RecordedTrial& trial : played(plan, wrong).trials)
    EXPECT_LE(space.find(trial.program)->edits.size(), 1U) << trial.program.text();
}

TEST(ReplicationPreset, WidensWithTheRootOfVisits) {
  const SearchPlan plan = preset(Algorithm::kReplication, 20, 100);
  const SearchSpace space(plan.space);
  int singles = 0;
  for (const RecordedTrial& trial : played(plan, wrong).trials)
    singles += space.find(trial.program)->edits.size() == 1 ? 1 : 0;
  EXPECT_GE(singles, 15);
  EXPECT_LE(singles, 22) << "the root has at most ceil(2·sqrt(100)) children";
}

}  // namespace
}  // namespace polar::search
