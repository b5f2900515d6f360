#include "predict/menu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::predict {
namespace {

using core::Program;

const std::vector<Program> kPrograms{Program{0, 1, 2}, Program{0, 1}, Program{0, 2}, Program{0, 1, 1, 2}};

TEST(GreedyCover, TakesTheProgramThatSolvesMostOfWhatIsLeft) {
  const auto correct = Matrix::from_rows({{1, 1, 0, 0}, {1, 1, 0, 0}, {1, 0, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 0}});
  const Matrix log_prob(5, 4, -1.0);
  EXPECT_EQ(greedy_cover(correct, log_prob, kPrograms, 2), (std::vector<int>{0, 2}));
}

TEST(GreedyCover, BreaksTiesByLogProbabilityOverUnsolvedExamples) {
  const auto correct = Matrix::from_rows({{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 1}});
  // After program 0 only the last two examples count, where program 3 is likelier; program 1 is in sum over all.
  const auto log_prob = Matrix::from_rows({{-1, -0.1, -5, -9}, {-1, -0.1, -5, -9}, {-3, -3, -3, -2}, {-3, -3, -3, -2}});
  EXPECT_EQ(greedy_cover(correct, log_prob, kPrograms, 2), (std::vector<int>{0, 3}));
}

TEST(GreedyCover, BeginsAnewWhenNothingLeftSolvesAnotherExample) {
  // Program 0 solves all that can be solved; of the others program 3 solves most, then program 1 what that leaves.
  const auto correct = Matrix::from_rows({{1, 1, 0, 0}, {1, 0, 1, 1}, {1, 0, 0, 1}, {0, 0, 0, 0}});
  const Matrix log_prob(4, 4, -1.0);
  EXPECT_EQ(greedy_cover(correct, log_prob, kPrograms, 4), (std::vector<int>{0, 3, 1, 2}));
}

TEST(GreedyCover, CountsLogProbabilityOverAllExamplesWhenNothingIsLeftThatSolvesAny) {
  const auto correct = Matrix::from_rows({{1, 0, 0, 0}, {1, 0, 0, 0}});
  const auto log_prob = Matrix::from_rows({{-1, -3, -2, -4}, {-1, -3, -1, -4}});
  EXPECT_EQ(greedy_cover(correct, log_prob, kPrograms, 3), (std::vector<int>{0, 2, 1}));
}

TEST(GreedyCover, BreaksFullTiesByTheSmallerProgram) {
  const Matrix correct(2, 4, 0.0), log_prob(2, 4, -1.0);
  EXPECT_EQ(greedy_cover(correct, log_prob, kPrograms, 4), (std::vector<int>{1, 2, 0, 3}));
}

TEST(GreedyCover, TakesTheProgramAskedForFirst) {
  const auto correct = Matrix::from_rows({{0, 1, 0, 0}, {0, 1, 0, 0}, {1, 0, 0, 1}});
  const Matrix log_prob(3, 4, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(greedy_cover(correct, log_prob, kPrograms, 3, 3), (std::vector<int>{3, 1, 0}));
}

TEST(LogProbCover, TakesTheProgramThatRaisesTheExamplesHighestMost) {
  const double never = -std::numeric_limits<double>::infinity();
  const auto log_prob = Matrix::from_rows({{-1, -1.5, -9, never}, {-8, -7, -2, never}, {-4, -3.5, -4, -3}});
  // Sums −13, −12, −15 and −203: program 1. Over it, 0 adds 0.5, 2 adds 5 and 3 adds 0.5: program 2; then 0 and 3 add
  // 0.5 each, and 0 is the smaller program.
  EXPECT_EQ(log_prob_cover(log_prob, kPrograms, 4), (std::vector<int>{1, 2, 0, 3}));
  EXPECT_EQ(log_prob_cover(log_prob, kPrograms, 2, 3), (std::vector<int>{3, 1})) << "1 adds 191.5, 0 191, 2 189";
  EXPECT_THROW(log_prob_cover(log_prob, kPrograms, 5), core::UsageError);
  EXPECT_THROW(log_prob_cover(Matrix(2, 3), kPrograms, 2), core::Error);
}

TEST(GreedyCover, RefusesSizesThatDisagree) {
  const Matrix correct(2, 4), log_prob(2, 3);
  EXPECT_THROW(greedy_cover(correct, log_prob, kPrograms, 2), core::Error);
  EXPECT_THROW(greedy_cover(correct, correct, kPrograms, 5), core::UsageError);
  EXPECT_THROW(greedy_cover(correct, correct, kPrograms, 2, 4), core::UsageError);
}

TEST(Choose, TakesTheBestScoreLessThePriceOfDepth) {
  const std::vector<double> scores{0.5, 0.52, 0.6}, ratios{1.0, 0.8, 1.2};
  EXPECT_EQ(choose(scores, ratios, {0.0, 0.0, 0}), 2);
  EXPECT_EQ(choose(scores, ratios, {0.5, 0.0, 0}), 1);  // values 0, 0.12, 0
}

TEST(Choose, FallsBackToTheIdentityBelowTheMargin) {
  const std::vector<double> scores{0.5, 0.6}, ratios{1.0, 1.1};
  EXPECT_EQ(choose(scores, ratios, {0.0, 0.11, 0}), 0);
  EXPECT_EQ(choose(scores, ratios, {0.0, 0.09, 0}), 1);
}

TEST(Choose, KeepsTheIdentityOnATieAndTheShallowerOfTwoOthers) {
  EXPECT_EQ(choose(std::vector{0.5, 0.5}, std::vector{0.9, 1.0}, {0.0, 0.0, 1}), 1);
  EXPECT_EQ(choose(std::vector{0.1, 0.5, 0.5}, std::vector{1.0, 1.2, 0.9}, {0.0, 0.0, 0}), 2);
}

TEST(Choose, RefusesAnOutsideIdentityAndScoresThatAreNoNumbers) {
  EXPECT_THROW(choose(std::vector{0.5}, std::vector{1.0}, {0.0, 0.0, 1}), core::Error);
  EXPECT_THROW(choose(std::vector{0.5}, std::vector{1.0, 1.0}, {0.0, 0.0, 0}), core::Error);
  EXPECT_THROW(choose(std::vector{std::nan("")}, std::vector{1.0}, {0.0, 0.0, 0}), core::Error);
}

/// Two examples: program 1 (shallow) solves the first only, program 2 (deep) both, the identity none.
const Matrix kCorrect = Matrix::from_rows({{0, 1, 1}, {0, 0, 1}});
const std::vector<double> kRatios{1.0, 0.8, 1.2};
const Matrix& scores(std::size_t scorer) {
  EXPECT_EQ(scorer, 0U);
  static const Matrix kScores = Matrix::from_rows({{0.2, 0.5, 0.6}, {0.2, 0.1, 0.6}});
  return kScores;
}

TEST(Tune, PicksTheMostAccuratePointThenTheShallower) {
  TuningGrid grid;
  grid.scorers = {{ScorerKind::kRidge, 0.1, 1}};
  grid.lambdas = {0, 0.3};
  grid.margins = {0, 0.35, 10};
  const std::vector<MenuPoint> points = tune(scores, kCorrect, kRatios, 0, grid);
  ASSERT_EQ(points.size(), 6U);
  EXPECT_DOUBLE_EQ(points[0].accuracy, 1.0);
  EXPECT_DOUBLE_EQ(points[0].mean_depth_ratio, 1.2);
  // λ = 0.3: the first example prefers the shallow program (0.26 against 0.24), which also solves it.
  const auto best = best_within(points);
  ASSERT_TRUE(best);
  EXPECT_DOUBLE_EQ(best->rule.lambda, 0.3);
  EXPECT_DOUBLE_EQ(best->rule.margin, 0);
  EXPECT_DOUBLE_EQ(best->accuracy, 1.0);
  EXPECT_DOUBLE_EQ(best->mean_depth_ratio, 1.0);
  EXPECT_DOUBLE_EQ(points[2].identity_share, 1.0);
}

TEST(Tune, HonoursADepthLimit) {
  TuningGrid grid;
  grid.scorers = {{ScorerKind::kRidge, 0.1, 1}};
  grid.lambdas = {0, 3};
  const std::vector<MenuPoint> points = tune(scores, kCorrect, kRatios, 0, grid);
  const auto within = best_within(points, 0.9);
  ASSERT_TRUE(within);
  EXPECT_DOUBLE_EQ(within->rule.lambda, 3);
  EXPECT_DOUBLE_EQ(within->accuracy, 0.5);
  EXPECT_FALSE(best_within(points, 0.5));
}

TEST(Tune, RefusesAnEmptyGrid) {
  EXPECT_THROW(tune(scores, kCorrect, kRatios, 0, TuningGrid{}), core::UsageError);
}

}  // namespace
}  // namespace polar::predict
