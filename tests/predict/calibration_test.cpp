#include "predict/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace polar::predict {
namespace {

TEST(Calibration, GivesTheErrorComputedByHand) {
  const std::vector<double> probabilities = {0.05, 0.15, 0.15, 0.95, 1.0}, outcomes = {0, 0, 1, 1, 0};
  const std::vector<ReliabilityBin> bins = reliability(probabilities, outcomes);
  ASSERT_EQ(bins.size(), 10U);
  EXPECT_EQ(bins[1].count, 2);
  EXPECT_DOUBLE_EQ(bins[1].outcome, 0.5);
  EXPECT_DOUBLE_EQ(bins[9].probability, 0.975);
  EXPECT_EQ(bins[5].count, 0);
  // (1 · |0.05 − 0| + 2 · |0.15 − 0.5| + 2 · |0.975 − 0.5|) / 5
  EXPECT_NEAR(calibration_error(bins), (0.05 + 0.7 + 0.95) / 5, 1e-12);
  EXPECT_EQ(calibration_error({}), 0);
}

TEST(Calibration, FindsTheSlopeAndOffsetThatMadeTheOutcomes) {
  const ScoreCalibration made{3, -1};
  std::vector<double> scores, outcomes;
  for (int i = 0; i <= 2000; ++i) {
    scores.push_back(-1 + i * 0.001);
    outcomes.push_back(made.probability(scores.back()));  // expected outcomes, so that no chance is left
  }
  const ScoreCalibration found = fit_platt(scores, outcomes);
  EXPECT_NEAR(found.slope, made.slope, 0.05);
  EXPECT_NEAR(found.offset, made.offset, 0.05);
}

TEST(Calibration, LowersTheErrorOfScoresThatAreNoProbabilities) {
  std::vector<double> scores, outcomes, before, after;
  for (int i = 0; i < 400; ++i) {
    scores.push_back((i % 20) / 20.0);
    outcomes.push_back(i / 20 < (i % 20) / 4 ? 1 : 0);  // a quarter of what the score says
  }
  const ScoreCalibration platt = fit_platt(scores, outcomes);
  for (double score : scores) after.push_back(platt.probability(score));
  EXPECT_LT(calibration_error(reliability(after, outcomes)), 0.25 * calibration_error(reliability(scores, outcomes)));
}

TEST(Calibration, FindsTheTemperatureThatMadeTheOutcomes) {
  const ScoreCalibration made{1 / 2.5, 0, true};
  std::vector<double> scores, outcomes;
  for (int i = 1; i < 2000; ++i) {
    scores.push_back(i / 2000.0);
    outcomes.push_back(made.probability(scores.back()));
  }
  EXPECT_NEAR(made.probability(0.8), 1 / (1 + std::pow(0.25, 1 / 2.5)), 1e-12);
  const ScoreCalibration found = fit_temperature(scores, outcomes);
  EXPECT_NEAR(found.slope, made.slope, 0.01);
  EXPECT_EQ(found.offset, 0);
  EXPECT_DOUBLE_EQ(found.probability(0.5), 0.5) << "a temperature moves no even odds";
}

TEST(Calibration, HasATemperatureForScoresBeyondProbabilitiesAndForThoseThatTellNothing) {
  const std::vector<double> parted = {-0.2, 0, 1, 1.3}, outcomes = {0, 0, 1, 1};
  const ScoreCalibration sure = fit_temperature(parted, outcomes);
  EXPECT_NEAR(sure.probability(1.3), 0.75, 1e-3);  // (2 + 1) / (2 + 2)
  EXPECT_DOUBLE_EQ(sure.probability(1.3), sure.probability(1));
  const std::vector<double> reversed = {1, 1, 0, 0};
  EXPECT_NEAR(fit_temperature(parted, reversed).slope, 0, 1e-9);
  EXPECT_NEAR(fit_temperature(std::vector<double>{0.5, 0.5}, std::vector<double>{0, 1}).probability(0.5), 0.5, 1e-12);
}

TEST(Calibration, StaysFiniteWhereScoresPartTheOutcomesOrAreAllEqual) {
  const ScoreCalibration parted = fit_platt(std::vector<double>{0, 0, 1, 1}, std::vector<double>{0, 0, 1, 1});
  EXPECT_NEAR(parted.probability(1), 0.75, 1e-3);  // (2 + 1) / (2 + 2)
  const ScoreCalibration equal = fit_platt(std::vector<double>{0.5, 0.5}, std::vector<double>{0, 1});
  EXPECT_NEAR(equal.probability(0.5), 0.5, 1e-6);
}

TEST(Calibration, NeverTurnsTheOrderOfScoresRound) {
  const ScoreCalibration falling = fit_platt(std::vector<double>{0, 0.1, 0.9, 1}, std::vector<double>{1, 1, 0, 0});
  EXPECT_EQ(falling.slope, 0);
  EXPECT_NEAR(falling.probability(0.3), 0.5, 1e-9);
}

TEST(Calibration, RefusesWhatDoesNotFit) {
  EXPECT_THROW(fit_platt(std::vector<double>{1}, std::vector<double>{}), core::Error);
  EXPECT_THROW(fit_platt({}, {}), core::Error);
  EXPECT_THROW(fit_temperature({}, {}), core::Error);
  EXPECT_THROW(fit_platt(std::vector<double>{std::numeric_limits<double>::quiet_NaN()}, std::vector<double>{0}),
               core::Error);
  EXPECT_THROW(reliability(std::vector<double>{1.5}, std::vector<double>{1}), core::Error);
}

}  // namespace
}  // namespace polar::predict
