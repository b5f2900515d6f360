#include "predict/top_one.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace polar::predict {
namespace {

using core::Program;
using Valid = std::vector<std::vector<Program>>;

const Program kBoth{0, 1}, kFirst{0}, kRepeat{0, 1, 1};

/// Two layers, of which layer 0 is kept and layer 1, if a segment starts there with this probability, runs so often.
ProgramLogits second_layer(double start, int runs) {
  ProgramLogits logits{2, 3, {5, static_cast<float>(std::log(start / (1 - start)))}, {0, 9, 0, 0, 0, 0}};
  logits.operation[3 + static_cast<std::size_t>(runs)] = 9;
  return logits;
}

TEST(TopOne, CountsMembersAndIdentitiesAmongExamplesWithAValidProgram) {
  const std::vector<ProgramLogits> logits{second_layer(0.9, 0), second_layer(0.9, 2), second_layer(0.1, 0),
                                          second_layer(0.9, 0)};
  const Valid valid{{kBoth, kFirst}, {kBoth}, {kBoth}, {}};
  const auto score = score_top_one(logits, valid, {});
  ASSERT_TRUE(score);
  EXPECT_DOUBLE_EQ(score->membership, 2.0 / 3);
  EXPECT_DOUBLE_EQ(score->identity, 1.0 / 3);
  EXPECT_FALSE(score_top_one(logits, Valid(4), {}));
  EXPECT_THROW(score_top_one(logits, Valid(3), {}), core::Error);
}

TEST(Calibration, TakesTheThresholdOfMostMembersNearestToAHalf) {
  // Right with a start from 0.25 on, and without one from 0.35 on: 0.3 alone serves both.
  const std::vector<ProgramLogits> logits{second_layer(0.35, 0), second_layer(0.25, 2)};
  const auto low = calibrate_threshold(logits, Valid{{kFirst}, {kBoth}}, {});
  EXPECT_DOUBLE_EQ(low.threshold, 0.3);
  ASSERT_EQ(low.points.size(), 9U);
  EXPECT_DOUBLE_EQ(low.points[2].first, 0.3);
  EXPECT_DOUBLE_EQ(low.points[2].second.membership, 1);
  EXPECT_DOUBLE_EQ(low.points[4].second.membership, 0.5);
  EXPECT_DOUBLE_EQ(low.points[4].second.identity, 1);
  // Any of 0.1 and 0.2 serves both now, and any from 0.4 on serves the next.
  EXPECT_DOUBLE_EQ(calibrate_threshold(logits, Valid{{kFirst}, {kRepeat}}, {}).threshold, 0.2);
  EXPECT_DOUBLE_EQ(calibrate_threshold(logits, Valid{{kBoth}, {kBoth}}, {}).threshold, 0.5);
}

TEST(Calibration, KeepsAHalfWithoutValidPrograms) {
  const std::vector<ProgramLogits> logits{second_layer(0.35, 0)};
  const auto none = calibrate_threshold(logits, Valid(1), {});
  EXPECT_DOUBLE_EQ(none.threshold, 0.5);
  EXPECT_TRUE(none.points.empty());
}

}  // namespace
}  // namespace polar::predict
