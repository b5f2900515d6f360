#include "search/guided.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "search/presets.h"
#include "search/run_searches.h"
#include "support/fake_evaluator.h"
#include "support/landscape.h"

namespace polar::search {
namespace {

using test::LandscapeEvaluator;
using test::RuleEvaluator;

constexpr int kLayers = 16;

std::vector<task::ExampleId> ids(int count) {
  std::vector<task::ExampleId> made;
  for (int i = 0; i < count; ++i) made.push_back("landscape-" + std::to_string(i));
  return made;
}

SearchPlan plan_for(Algorithm algorithm, int rollouts) {
  SearchPlan plan{{.depth = kLayers, .first_layer = 0, .min_depth_ratio = 0.8, .max_edits = 3},
                  {.algorithm = algorithm, .rollouts = rollouts, .minimise = Minimise::kRepeats}};
  return with_preset(std::move(plan));
}

struct Summary {
  int solved = 0;
  double hits = 0;  ///< mean rollouts to the first valid program
};

std::vector<SearchResult> searched(const SearchPlan& plan, int examples) {
  LandscapeEvaluator evaluator(kLayers);
  return run_searches(ids(examples), SearchSpace(plan.space), plan.options, evaluator, {.root_seed = 2});
}

Summary summary(const std::vector<SearchResult>& results, int rollouts) {
  Summary made;
  for (const SearchResult& result : results) {
    const Progressed state = after(result.trials, rollouts);
    made.solved += state.solved ? 1 : 0;
    made.hits += state.first_hit.value_or(rollouts);
  }
  made.hits /= static_cast<double>(results.size());
  return made;
}

// Where effects nearly add up and neighbours are alike, as a residual network's do.
TEST(GuidedSearchTest, SolvesMoreThanThePublishedSearchesAndRandomFromTheSameBudget) {
  constexpr int kExamples = 60;
  const auto guided = searched(plan_for(Algorithm::kGuided, 200), kExamples);
  for (const Algorithm other :
       {Algorithm::kPaper, Algorithm::kAuthors, Algorithm::kDrLlm, Algorithm::kReplication, Algorithm::kRandom}) {
    const auto results = searched(plan_for(other, 200), kExamples);
    for (const int rollouts : {50, 200}) {
      SCOPED_TRACE(std::string(to_string(other)) + " at " + std::to_string(rollouts));
      EXPECT_GE(summary(guided, rollouts).solved, summary(results, rollouts).solved);
      EXPECT_LT(summary(guided, rollouts).hits, summary(results, rollouts).hits);
    }
  }
}

TEST(GuidedSearchTest, FindsProgramsNearlyAsShortAsTheShortestThereAre) {
  constexpr int kExamples = 12;
  SearchPlan plan = plan_for(Algorithm::kGuided, 200);
  plan.space.max_edits = 2;
  plan.options.objective = Objective::kShortest;
  const auto guided = searched(plan, kExamples);
  plan.options.algorithm = Algorithm::kExhaustive;
  plan.options.rollouts = static_cast<int>(SearchSpace(plan.space).count());
  const auto all = searched(plan, kExamples);
  ASSERT_GT(plan.options.rollouts, 2000) << "guided sees less than a tenth";
  double found = 0, optimum = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto best = after(all[i].trials, plan.options.rollouts).shortest_layers;
    const auto own = after(guided[i].trials, 200).shortest_layers;
    if (!best || !own) continue;
    found += *own;
    optimum += *best;
  }
  EXPECT_GT(optimum, 0);
  EXPECT_LE(found, 1.05 * optimum);
}

TEST(GuidedSearchTest, LooksOnlyForShorterProgramsOnceOneIsValidWhereTheShortestIsWanted) {
  RuleEvaluator evaluator(
      [](const Trial& trial) { return Outcome{.correct = true, .margin = 20.0 - trial.program.length()}; });
  const SearchSpace space({.depth = kLayers, .min_depth_ratio = 0.6});
  GuidedSearch search("a", space, {.rollouts = 40, .leaves_per_round = 1, .objective = Objective::kShortest}, 1);
  int shortest = kLayers + 1;
  for (auto trials = search.select(); !trials.empty() && shortest > space.min_layers(); trials = search.select()) {
    EXPECT_LT(trials[0].program.length(), shortest);
    shortest = trials[0].program.length();
    search.backup(evaluator.evaluate(trials));
  }
  EXPECT_EQ(shortest, space.min_layers());
}

TEST(GuidedSearchTest, LearnsFromTheVerdictWhereTheMarginContradictsIt) {
  // Margins say nothing here; being right says where to look.
  RuleEvaluator evaluator([](const Trial& trial) {
    const auto layers = trial.program.layers();
    return Outcome{.correct = std::ranges::count(layers, 9) == 2, .margin = -1};
  });
  const SearchSpace space({.depth = kLayers, .max_edits = 2});
  GuidedSearch search("a", space, {.rollouts = 150}, 1);
  for (auto trials = search.select(); !trials.empty(); trials = search.select())
    search.backup(evaluator.evaluate(trials));
  EXPECT_GT(search.valid_count(), 30);
}

TEST(GuidedSearchTest, FollowsNestedEditsToo) {
  // Layers 6 7 6 6 7: only a loop inside a loop makes it; each half of it helps.
  RuleEvaluator evaluator([](const Trial& trial) {
    const auto layers = trial.program.layers();
    const auto sixes = std::ranges::count(layers, 6), sevens = std::ranges::count(layers, 7);
    return Outcome{.correct = sixes == 3 && sevens == 2 && trial.program.length() == 11,
                   .margin = -4 + 1.5 * static_cast<double>(std::min<std::ptrdiff_t>(sixes - 1, 2))};
  });
  const SearchSpace space({.depth = 8, .max_depth_ratio = 1.5, .max_edits = 3, .form = EditForm::kNested});
  int solved = 0;
  for (const task::ExampleId& id : ids(10)) {
    GuidedSearch search(id, space, {.rollouts = 150}, 1);
    for (auto trials = search.select(); !trials.empty(); trials = search.select())
      search.backup(evaluator.evaluate(trials));
    solved += search.valid_count() > 0 ? 1 : 0;
  }
  EXPECT_GE(solved, 8);
}

}  // namespace
}  // namespace polar::search
