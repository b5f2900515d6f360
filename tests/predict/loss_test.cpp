#include "predict/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace polar::predict {
namespace {

using core::Program;

double softplus(double x) {
  return std::log1p(std::exp(x));
}

/// Three layers; boundary logits 0.5, −1, 2; operation logits 0, 1, 2 at each layer.
ProgramLogits three_layers() {
  return {3, 3, {0.5F, -1, 2}, {0, 1, 2, 0, 1, 2, 0, 1, 2}};
}

ExampleTargets targets_of(std::vector<Program> valid, int max_length) {
  TargetOptions options;
  options.depth = 3;
  options.limits.max_length = max_length;
  TargetCounts counts;
  return make_targets(valid, options, counts);
}

const double kLogZ = std::log(1 + std::exp(1) + std::exp(2));

TEST(Loss, OneTargetAsComputedByHand) {
  // Layers 0-1 kept, 2 repeated: boundaries 1, 0, 1; operations keep at 0, repeat at 2.
  const auto loss = example_loss(three_layers(), targets_of({Program{0, 1, 2, 2}}, 4), {});
  EXPECT_NEAR(loss.boundary, (softplus(-0.5) + softplus(-1) + softplus(-2)) / 3, 1e-6);
  EXPECT_NEAR(loss.operation, ((kLogZ - 1) + (kLogZ - 2)) / 2, 1e-6);
  EXPECT_NEAR(loss.total(), loss.boundary + loss.operation, 1e-12);
}

TEST(Loss, ReleasedCodeLeavesOutTheFirstBoundary) {
  const auto loss =
      example_loss(three_layers(), targets_of({Program{0, 1, 2, 2}}, 4), {0, BoundaryPositions::kAfterFirst});
  EXPECT_NEAR(loss.boundary, (softplus(-1) + softplus(-2)) / 2, 1e-6);
}

TEST(Loss, LeavesOutBoundariesBelowTheFirstLayer) {
  TargetOptions options;
  options.depth = 3;
  options.first_layer = 1;
  TargetCounts counts;
  const std::vector<Program> valid{Program{0, 1, 2, 2}};
  const auto loss = example_loss(three_layers(), make_targets(valid, options, counts), {1, BoundaryPositions::kAll});
  EXPECT_NEAR(loss.boundary, (softplus(1) + softplus(-2)) / 2, 1e-6);
}

TEST(Loss, IsZeroWhereNoBoundaryIsCounted) {
  TargetOptions options;
  options.depth = 3;
  options.first_layer = 2;
  TargetCounts counts;
  const std::vector<Program> valid{Program{0, 1, 2}};
  const auto loss =
      example_loss(three_layers(), make_targets(valid, options, counts), {2, BoundaryPositions::kAfterFirst});
  EXPECT_EQ(loss.boundary, 0);
  EXPECT_NEAR(loss.operation, kLogZ - 1, 1e-6);
}

TEST(Loss, SeveralTargetsAreTheWeightedMeanOfTheirLosses) {
  const auto both = targets_of({Program::identity(3), Program{0, 1, 2, 2}}, 4);
  ASSERT_EQ(both.size(), 2U);
  const auto identity = example_loss(three_layers(), {both[0]}, {});
  const auto repeat = example_loss(three_layers(), {both[1]}, {});
  // A lone target's dense labels carry its weight: 0.6/1.3 and 2/1.3 of the plain loss.
  const auto plain_identity = example_loss(three_layers(), targets_of({Program::identity(3)}, 4), {});
  EXPECT_NEAR(identity.operation, 0.6 / 1.3 * plain_identity.operation, 1e-6);
  const auto loss = example_loss(three_layers(), both, {});
  EXPECT_NEAR(loss.operation, (identity.operation + repeat.operation) / 2, 1e-6);
  const double plain_repeat = (softplus(-0.5) + softplus(-1) + softplus(-2)) / 3;
  EXPECT_NEAR(loss.boundary, (0.3 * plain_identity.boundary + plain_repeat) / 1.3, 1e-6);
}

TEST(Loss, DenseLabelsAreWeightedShares) {
  const auto dense = dense_targets(targets_of({Program::identity(3), Program{0, 1, 2, 2}}, 4), 3, 3);
  EXPECT_NEAR(dense.boundary[0], 1, 1e-6);
  EXPECT_NEAR(dense.boundary[1], 0, 1e-6);
  EXPECT_NEAR(dense.boundary[2], 1 / 1.3, 1e-6);
  EXPECT_NEAR(dense.operation[1], 0.3 / 1.3 + 0.5 / 1.3, 1e-6);
  EXPECT_NEAR(dense.operation[8], 0.5 / 1.3, 1e-6);
}

TEST(Loss, RefusesNoTargetsWrongDepthAndUnknownOperations) {
  EXPECT_THROW(dense_targets({}, 3, 3), core::Error);
  const auto targets = targets_of({Program{0, 1, 2, 2}}, 4);
  EXPECT_THROW(dense_targets(targets, 4, 3), core::Error);
  EXPECT_THROW(dense_targets(targets, 3, 2), core::Error);
}

}  // namespace
}  // namespace polar::predict
