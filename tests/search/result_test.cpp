#include "search/result.h"

#include <gtest/gtest.h>

namespace polar::search {
namespace {

using Indices = std::vector<std::size_t>;

TEST(MoreOptimal, ComparesValidityThenLayersThenMarginThenProgram) {
  const RecordedTrial base{{0, 1, 2}, {.correct = true, .margin = 1}};
  EXPECT_TRUE(more_optimal(base, {{0, 1}, {.correct = false, .margin = 9}}));
  EXPECT_TRUE(more_optimal({{0, 1}, {.correct = true, .margin = 0}}, base));
  EXPECT_TRUE(more_optimal({{0, 2, 2}, {.correct = true, .margin = 2}}, base));
  EXPECT_TRUE(more_optimal(base, {{0, 2, 2}, {.correct = true, .margin = 1}}));
  EXPECT_FALSE(more_optimal(base, base));
}

RecordedTrial tried(core::Program program, bool correct, double log_prob, double margin = 0) {
  return {std::move(program), {.correct = correct, .answer_log_prob = log_prob, .margin = margin}};
}

const SearchSpace& space() {
  static const SearchSpace instance(
      {.depth = 4, .first_layer = 0, .max_block = 1, .min_depth_ratio = 0.25, .max_depth_ratio = 2});
  return instance;
}

std::vector<RecordedTrial> some_trials() {
  return {tried({0, 1, 2, 3}, false, -4), tried({0, 1, 1, 2, 3}, true, -1, 2), tried({0, 1, 1, 2, 2, 3}, true, -0.5, 3),
          tried({0, 2, 3}, true, -2, 1),  tried({0, 1, 3}, true, -3, 4),       tried({0, 3, 3}, false, -0.1)};
}

TEST(ParetoFront, HoldsWhatNoOtherBeatsInLayersAndLogProbability) {
  const std::vector<RecordedTrial> trials = some_trials();
  EXPECT_EQ(pareto_front(trials, {1, 2, 3, 4}), (Indices{3, 1, 2})) << "of three layers the more probable one";
  EXPECT_EQ(pareto_front(trials, {}), Indices{});
}

TEST(ResultOf, ChoosesWhatTheObjectiveAsksFor) {
  const auto chosen = [](Objective objective, int keep, Minimise minimise) {
    SearchOptions options{.objective = objective, .keep = keep, .minimise = minimise};
    return result_of("x", some_trials(), space(), options, false).chosen;
  };
  EXPECT_EQ(chosen(Objective::kFirstValid, 50, Minimise::kOff), (Indices{1}));
  EXPECT_EQ(chosen(Objective::kShortest, 50, Minimise::kOff), (Indices{4})) << "margin 4 before margin 1";
  EXPECT_EQ(chosen(Objective::kBest, 3, Minimise::kOff), (Indices{4, 3, 1}));
  EXPECT_EQ(chosen(Objective::kPareto, 50, Minimise::kOff), (Indices{3, 1, 2}));
  EXPECT_EQ(chosen(Objective::kPareto, 50, Minimise::kRepeats), (Indices{3, 1, 2}))
      << "the second repeat makes the answer likelier";
  EXPECT_EQ(chosen(Objective::kBest, 50, Minimise::kRepeats), (Indices{4, 3, 1}))
      << "0,1,1,2,2,3 has an idle repeat: 0,1,1,2,3 is valid";
}

TEST(ResultOf, KeepsEveryValidProgramMostOptimalFirst) {
  const SearchResult result = result_of("x", some_trials(), space(), {.minimise = Minimise::kEdits}, true);
  EXPECT_EQ(result.valid, (Indices{4, 3, 1, 2}));
  EXPECT_TRUE(result.exhausted);
}

TEST(After, ReadsASmallerBudgetFromTheRecordedOrder) {
  const std::vector<RecordedTrial> trials = some_trials();
  EXPECT_FALSE(after(trials, 1).solved);
  EXPECT_EQ(after(trials, 1).first_hit, std::nullopt);
  EXPECT_EQ(after(trials, 2).first_hit, 2);
  EXPECT_EQ(after(trials, 3).shortest_layers, 5);
  EXPECT_EQ(after(trials, 200).shortest_layers, 3);
  EXPECT_EQ(after(trials, 200).first_hit, 2);
}

}  // namespace
}  // namespace polar::search
