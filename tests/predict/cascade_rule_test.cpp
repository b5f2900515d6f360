#include "predict/cascade_rule.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "predict/menu.h"

namespace polar::predict {
namespace {

TEST(CascadeRule, GoesOnUntilAnAnswerIsConfidentOrTheTriesAreUsedUp) {
  const CascadeRule rule{3, -0.5, FinalAnswer::kMostConfident};
  EXPECT_TRUE(goes_on({}, rule));
  EXPECT_TRUE(goes_on(std::vector{-0.6}, rule));
  EXPECT_FALSE(goes_on(std::vector{-0.5}, rule));
  EXPECT_TRUE(goes_on(std::vector{-0.6, -2.0}, rule));
  EXPECT_FALSE(goes_on(std::vector{-0.6, -2.0, -1.0}, rule));
}

TEST(CascadeRule, AnswersWithTheMostConfidentTryOrTheLast) {
  const std::vector<double> confidences{-0.9, -0.6, -0.6, -2.0};
  EXPECT_EQ(answer_of(confidences, {4, 0, FinalAnswer::kMostConfident}), 1U);
  EXPECT_EQ(answer_of(confidences, {4, 0, FinalAnswer::kLast}), 3U);
  EXPECT_THROW(answer_of({}, {4, 0, FinalAnswer::kLast}), core::Error);
}

TEST(CascadeRule, NamesItsFinalAnswers) {
  for (const FinalAnswer each : {FinalAnswer::kMostConfident, FinalAnswer::kLast})
    EXPECT_EQ(final_answer(to_string(each)), each);
  EXPECT_THROW(final_answer("first"), core::UsageError);
}

/// A cheap program that is right where it is confident, then the whole model, right everywhere.
const std::vector<std::vector<CascadeTry>> kExamples{{{-0.1, 0.5, true}, {-0.2, 1, true}},
                                                     {{-0.9, 0.5, false}, {-0.3, 1, true}},
                                                     {{-0.2, 0.5, true}, {-0.4, 1, true}},
                                                     {{-0.8, 0.5, false}, {-0.3, 1, true}}};

TEST(TuneCascade, FindsTheRuleThatTriesAgainOnlyWhereItPays) {
  const auto best = best_within(tune_cascade(kExamples, 2, 5));
  ASSERT_TRUE(best);
  EXPECT_EQ(best->accuracy, 1);
  EXPECT_EQ(best->rule.tries, 2);
  EXPECT_GT(best->rule.threshold, -0.8);
  EXPECT_LE(best->rule.threshold, -0.2);
  EXPECT_NEAR(best->mean_depth_ratio, 0.5 + 0.5 * 1, 1e-12);  // half of the examples pay for the second program
  EXPECT_NEAR(best->mean_tries, 1.5, 1e-12);
}

TEST(TuneCascade, TriesEveryNumberOfTriesAndTheThresholdThatIsNeverReached) {
  const std::vector<CascadePoint> points = tune_cascade(kExamples, 2, 5);
  EXPECT_TRUE(std::ranges::all_of(points, [](const CascadePoint& point) {
    return point.rule.tries == 2 || (point.mean_tries == 1 && point.mean_depth_ratio == 0.5 && point.accuracy == 0.5);
  }));
  const auto always = std::ranges::find_if(points, [](const CascadePoint& point) { return point.mean_tries == 2; });
  ASSERT_NE(always, points.end());
  EXPECT_GT(always->rule.threshold, 0);
  EXPECT_EQ(always->mean_depth_ratio, 1.5);
}

TEST(TuneCascade, LearnsWhichAnswerToGive) {
  // The second try is right, and less confident on one example of two.
  const std::vector<std::vector<CascadeTry>> later{{{-0.5, 1, false}, {-0.9, 1, true}},
                                                   {{-0.9, 1, false}, {-0.5, 1, true}}};
  const auto best = best_within(tune_cascade(later, 2, 3));
  EXPECT_EQ(best->rule.answer, FinalAnswer::kLast);
  EXPECT_EQ(best->accuracy, 1);
  // The first is, and less confident nowhere.
  const std::vector<std::vector<CascadeTry>> first{{{-0.5, 1, true}, {-0.9, 1, false}},
                                                   {{-0.9, 1, false}, {-0.5, 1, true}}};
  const std::vector<CascadePoint> points = tune_cascade(first, 2, 2);
  const auto always = [&](FinalAnswer answer) {
    return std::ranges::find_if(
        points, [&](const CascadePoint& point) { return point.mean_tries == 2 && point.rule.answer == answer; });
  };
  EXPECT_EQ(always(FinalAnswer::kMostConfident)->accuracy, 1);
  EXPECT_EQ(always(FinalAnswer::kLast)->accuracy, 0.5);
}

TEST(TuneCascade, RefusesTooFewProgramsExamplesOrThresholds) {
  EXPECT_THROW(tune_cascade(kExamples, 3, 5), core::Error);
  EXPECT_THROW(tune_cascade({}, 1, 5), core::Error);
  EXPECT_THROW(tune_cascade(kExamples, 0, 5), core::UsageError);
  EXPECT_THROW(tune_cascade(kExamples, 2, 1), core::UsageError);
}

}  // namespace
}  // namespace polar::predict
