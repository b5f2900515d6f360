#include "policy/planners.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "support/temporary_folder.h"

namespace polar::policy {
namespace {

using core::Program;

constexpr int kPlannerDepth = 12;

search::SearchSpace space() {
  search::SpaceOptions options;
  options.depth = kPlannerDepth;
  options.first_layer = 2;
  options.min_depth_ratio = 0.8;
  options.max_depth_ratio = 1.25;
  return search::SearchSpace(options);
}

predict::TokenFeatures features(float first) {
  return {2, 2, {first, 1, first, -1}};
}

TEST(FixedPlanner, ProposesTheSameRankingForEveryInput) {
  FixedPlanner base("base", {Program::identity(kPlannerDepth)});
  const std::vector<Input> inputs = {{"a", nullptr}, {"b", nullptr}};
  EXPECT_EQ(base.propose(inputs),
            (std::vector<RankedPrograms>{{Program::identity(kPlannerDepth)}, {Program::identity(kPlannerDepth)}}));
  EXPECT_THROW(FixedPlanner("empty", {}), core::Error);
}

TEST(RandomPlanner, ProposesDistinctProgramsOfTheIdentitysLength) {
  const search::SearchSpace programs = space();
  RandomPlanner planner(programs, 7, 5);
  const std::vector<Input> inputs = {{"a", nullptr}, {"b", nullptr}};
  const auto proposals = planner.propose(inputs);
  for (const RankedPrograms& ranked : proposals) {
    EXPECT_EQ(ranked.size(), 5U);
    EXPECT_EQ(std::set<Program>(ranked.begin(), ranked.end()).size(), 5U);
    for (const Program& program : ranked) {
      EXPECT_EQ(program.length(), kPlannerDepth);
      EXPECT_NE(program, Program::identity(kPlannerDepth));
    }
  }
  EXPECT_NE(proposals[0], proposals[1]);
}

TEST(RandomPrograms, AreAllThereAreWhereMoreAreAsked) {
  search::SpaceOptions options;
  options.depth = 6;
  options.first_layer = 3;
  options.max_block = 1;
  options.min_depth_ratio = 0.8;
  options.max_depth_ratio = 1.2;
  const search::SearchSpace few(options);
  const RankedPrograms programs = random_programs(few, 1, 1000);
  EXPECT_EQ(static_cast<double>(programs.size()), few.count(6) - 1);
  EXPECT_EQ(random_programs(few, 1, 2), RankedPrograms(programs.begin(), programs.begin() + 2));
}

TEST(RandomPlanner, DependsOnTheInputAloneAndNotOnItsCompanions) {
  const search::SearchSpace programs = space();
  const std::vector<Input> both = {{"a", nullptr}, {"b", nullptr}}, one = {{"b", nullptr}};
  EXPECT_EQ(RandomPlanner(programs, 7, 3).propose(both)[1], RandomPlanner(programs, 7, 3).propose(one)[0]);
}

TEST(RandomPlanner, RefusesASpaceWithoutOtherProgramsOfThatLength) {
  search::SpaceOptions options;
  options.depth = kPlannerDepth;
  options.allow_repeat = false;
  const search::SearchSpace skips(options);
  EXPECT_THROW(RandomPlanner(skips, 1, 1), core::UsageError);
}

/// A menu of three programs whose first feature decides: the second program is right for positive ones.
predict::TrainedMenu trained_menu() {
  const predict::Matrix x = predict::Matrix::from_rows({{1, 1, 1, 0}, {2, 1, 2, 0}, {-1, 1, -1, 0}, {-2, 1, -2, 0}});
  const predict::Matrix y = predict::Matrix::from_rows({{0, 1, 0}, {0, 1, 0}, {1, 0, 0}, {1, 0, 0}});
  return {{"weights", "task", "states", 2},
          kPlannerDepth,
          {Program::identity(kPlannerDepth), Program::parse("0-5,4-11"), Program::parse("0-7,9-11")},
          {0, 0, 0},
          predict::MenuScorer::fit(x, y, {predict::ScorerKind::kRidge, 0.1, 1}),
          nullptr};
}

TEST(MenuPlanner, RunsTheRulesChoiceFirstAndRanksTheOthersByScore) {
  const predict::TrainedMenu menu = trained_menu();
  MenuPlanner planner(menu, 2);
  const predict::TokenFeatures positive = features(1.5F), negative = features(-1.5F);
  const std::vector<Input> inputs = {{"a", &positive}, {"b", &negative}};
  const auto proposals = planner.propose(inputs);
  EXPECT_EQ(proposals[0], (RankedPrograms{menu.menu[1], menu.menu[0]}));
  EXPECT_EQ(proposals[1][0], menu.menu[0]);
  EXPECT_EQ(proposals[1].size(), 2U);
}

TEST(LevelPredictorPlanner, AsksThePredictorOfTheInputsLevelAndKeepsTheIdentityForAnother) {
  const auto predictor_of = [](std::uint64_t seed) {
    predict::PredictorShape shape;
    shape.depth = kPlannerDepth;
    shape.input_width = 2;
    shape.width = 8;
    shape.heads = 2;
    shape.feed_forward = 8;
    predict::TargetOptions targets;
    targets.depth = kPlannerDepth;
    targets.limits = {4, 2};
    return predict::TrainedPredictor{
        {"weights", "task", "states", 2}, targets, predict::Predictor(shape, seed), {}, {}, {}, {}};
  };
  std::map<std::string, predict::TrainedPredictor> predictors;
  predictors.emplace("easy", predictor_of(1));
  predictors.emplace("hard", predictor_of(2));
  LevelPredictorPlanner planner(std::move(predictors), kPlannerDepth);
  EXPECT_TRUE(planner.is_told_the_level());
  const predict::TokenFeatures read = features(1.5F);
  const std::vector<Input> inputs = {
      {"a", &read, nullptr, "easy"}, {"b", &read, nullptr, "hard"}, {"c", &read, nullptr, "unknown"}};
  const auto proposals = planner.propose(inputs);
  const predict::TrainedPredictor easy = predictor_of(1), hard = predictor_of(2);
  EXPECT_EQ(proposals[0], PredictorPlanner(easy).propose(std::span(inputs).first(1)).front());
  EXPECT_EQ(proposals[1], PredictorPlanner(hard).propose(std::span(inputs).first(1)).front());
  EXPECT_NE(proposals[0], proposals[1]);
  EXPECT_EQ(proposals[2], RankedPrograms{Program::identity(kPlannerDepth)});
}

TEST(OraclePlanner, RefusesAStoreOfTrainingLabels) {
  const test::TemporaryFolder folder;
  const labels::RunLock lock(folder.path());
  const labels::LabelStore store =
      labels::LabelStore::open(lock, "labels.sqlite", {"w", "p", "t", "n", "g", "f"}, {"s", "verdict", 1});
  EXPECT_THROW(OraclePlanner(store, kPlannerDepth), core::Error);
}

TEST(OraclePlanner, TakesTheShortestValidProgramTheIdentityWhereThereIsNoneAndNothingUnsearched) {
  const test::TemporaryFolder folder;
  const labels::RunLock lock(folder.path());
  labels::LabelStore store = labels::LabelStore::open(lock, "oracle.sqlite", {"w", "p", "t", "n", "g", "f"},
                                                      {"s", "verdict", 1}, {.kind = labels::StoreKind::kOracle});
  store.add_examples(std::vector<labels::StoredExample>{
      {"a", labels::Split::kTest, ""}, {"b", labels::Split::kTest, ""}, {"c", labels::Split::kTest, ""}});
  const Program longer = Program::parse("0-5,4-11"), shorter = Program::parse("0-7,9-11");
  const auto outcome = [](bool correct, const Program& program) {
    return search::Outcome{correct, -1, 2, 0.5, program.length(), "1", true};
  };
  const std::vector<search::Trial> trials = {
      {"a", Program::identity(kPlannerDepth), {}}, {"a", longer, {}}, {"a", shorter, {}}};
  const std::vector<search::Outcome> outcomes = {outcome(false, trials[0].program), outcome(true, longer),
                                                 outcome(true, shorter)};
  store.record("a", 0, trials, outcomes);
  store.record("b", 0, std::vector<search::Trial>{{"b", longer, {}}},
               std::vector<search::Outcome>{outcome(false, longer)});
  OraclePlanner planner(store, kPlannerDepth);
  EXPECT_TRUE(planner.is_oracle());
  const std::vector<Input> inputs = {{"a", nullptr}, {"b", nullptr}, {"c", nullptr}};
  EXPECT_EQ(planner.propose(inputs), (std::vector<RankedPrograms>{{shorter}, {Program::identity(kPlannerDepth)}, {}}));
  EXPECT_EQ(OraclePlanner(store, kPlannerDepth, "menu_oracle").name(), "menu_oracle");
}

}  // namespace
}  // namespace polar::policy
