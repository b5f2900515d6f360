#include "predict/loss.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <utility>

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

ExampleTargets targets_of(std::vector<Program> programs, int max_length) {
  TargetOptions options;
  options.depth = 3;
  options.limits.max_length = max_length;
  TargetCounts counts;
  std::vector<ValidProgram> valid;
  for (Program& program : programs) valid.push_back({std::move(program), 0});
  return make_targets(valid, options, counts);
}

const double kLogZ = std::log(1 + std::exp(1) + std::exp(2));

TEST(Loss, OneTargetAsComputedByHand) {
  // Layers 0-1 kept, 2 repeated: boundaries 1, 0, 1; operations keep at 0, repeat at 2.
  const auto loss = average_loss(three_layers(), targets_of({Program{0, 1, 2, 2}}, 4), {});
  EXPECT_NEAR(loss.boundary, (softplus(-0.5) + softplus(-1) + softplus(-2)) / 3, 1e-6);
  EXPECT_NEAR(loss.operation, ((kLogZ - 1) + (kLogZ - 2)) / 2, 1e-6);
  EXPECT_NEAR(loss.total(), loss.boundary + loss.operation, 1e-12);
}

TEST(Loss, ReleasedCodeLeavesOutTheFirstBoundary) {
  const auto loss =
      average_loss(three_layers(), targets_of({Program{0, 1, 2, 2}}, 4), {0, BoundaryPositions::kAfterFirst});
  EXPECT_NEAR(loss.boundary, (softplus(-1) + softplus(-2)) / 2, 1e-6);
}

TEST(Loss, LeavesOutBoundariesBelowTheFirstLayer) {
  TargetOptions options;
  options.depth = 3;
  options.first_layer = 1;
  TargetCounts counts;
  const std::vector<ValidProgram> valid{{Program{0, 1, 2, 2}, 0}};
  const auto loss = average_loss(three_layers(), make_targets(valid, options, counts), {1, BoundaryPositions::kAll});
  EXPECT_NEAR(loss.boundary, (softplus(1) + softplus(-2)) / 2, 1e-6);
}

TEST(Loss, IsZeroWhereNoBoundaryIsCounted) {
  TargetOptions options;
  options.depth = 3;
  options.first_layer = 2;
  TargetCounts counts;
  const std::vector<ValidProgram> valid{{Program{0, 1, 2}, 0}};
  const auto loss =
      average_loss(three_layers(), make_targets(valid, options, counts), {2, BoundaryPositions::kAfterFirst});
  EXPECT_EQ(loss.boundary, 0);
  EXPECT_NEAR(loss.operation, kLogZ - 1, 1e-6);
}

TEST(Loss, SeveralTargetsAreTheWeightedMeanOfTheirLosses) {
  const auto both = targets_of({Program::identity(3), Program{0, 1, 2, 2}}, 4);
  ASSERT_EQ(both.size(), 2U);
  const auto identity = average_loss(three_layers(), {both[0]}, {});
  const auto repeat = average_loss(three_layers(), {both[1]}, {});
  // A lone target's dense labels carry its weight: 0.6/1.3 and 2/1.3 of the plain loss.
  const auto plain_identity = average_loss(three_layers(), targets_of({Program::identity(3)}, 4), {});
  EXPECT_NEAR(identity.operation, 0.6 / 1.3 * plain_identity.operation, 1e-6);
  const auto loss = average_loss(three_layers(), both, {});
  EXPECT_NEAR(loss.operation, (identity.operation + repeat.operation) / 2, 1e-6);
  const double plain_repeat = (softplus(-0.5) + softplus(-1) + softplus(-2)) / 3;
  EXPECT_NEAR(loss.boundary, (0.3 * plain_identity.boundary + plain_repeat) / 1.3, 1e-6);
}

TEST(Loss, DenseLabelsAreWeightedShares) {
  const auto dense = average_rows(targets_of({Program::identity(3), Program{0, 1, 2, 2}}, 4), 3, 3);
  EXPECT_NEAR(dense.boundary[0], 1, 1e-6);
  EXPECT_NEAR(dense.boundary[1], 0, 1e-6);
  EXPECT_NEAR(dense.boundary[2], 1 / 1.3, 1e-6);
  EXPECT_NEAR(dense.operation[1], 0.3 / 1.3 + 0.5 / 1.3, 1e-6);
  EXPECT_NEAR(dense.operation[8], 0.5 / 1.3, 1e-6);
}

/// −log P of layers 0-1 kept and 2 repeated, and of the identity in one segment, under three_layers().
const double kRepeatLoss = softplus(-0.5) + softplus(-1) + softplus(-2) + (kLogZ - 1) + (kLogZ - 2);
const double kIdentityLoss = softplus(-0.5) + softplus(-1) + softplus(2) + (kLogZ - 1);

TEST(SetLoss, OneTargetIsTheNegativeLogLikelihoodWithoutMeans) {
  const auto targets = targets_of({Program{0, 1, 2, 2}}, 4);
  EXPECT_NEAR(set_loss(three_layers(), targets, {}), kRepeatLoss, 1e-5);
  const auto average = average_loss(three_layers(), targets, {});
  EXPECT_NEAR(set_loss(three_layers(), targets, {}), 3 * average.boundary + 2 * average.operation, 1e-5);
  EXPECT_NEAR(set_loss(three_layers(), targets, {0, BoundaryPositions::kAfterFirst}), kRepeatLoss - softplus(-0.5),
              1e-5);
}

TEST(SetLoss, SeveralTargetsSumTheirProbabilitiesByWeight) {
  const auto both = targets_of({Program::identity(3), Program{0, 1, 2, 2}}, 4);
  const double sum = 0.6 / 1.3 * std::exp(-kIdentityLoss) + 2 / 1.3 * std::exp(-kRepeatLoss);
  EXPECT_NEAR(set_loss(three_layers(), both, {}), -std::log(sum), 1e-5);
}

TEST(SetLoss, IsSmallWhenOneOfTwoContradictingProgramsIsCertain) {
  const auto both = targets_of({Program{0, 1, 2, 2}, Program{0, 1}}, 4);  // layer 2 repeated or skipped
  ProgramLogits certain{3, 3, {20, -20, 20}, {0, 20, 0, 0, 0, 0, 0, 0, 20}};
  EXPECT_NEAR(set_loss(certain, both, {}), 0, 1e-5);
  EXPECT_GT(average_loss(certain, both, {}).total(), 4);
}

TEST(SetLoss, BatchOfDifferentCountsIsEachExamplesOwn) {
  const auto one = targets_of({Program{0, 1, 2, 2}}, 4);
  const auto both = targets_of({Program::identity(3), Program{0, 1, 2, 2}}, 4);
  const auto rows = set_rows(both, 3, 3);
  auto boundary = torch::zeros({2, 2, 3}), operation = torch::zeros({2, 2, 3, 3});
  const float none = -std::numeric_limits<float>::infinity();
  auto weights = torch::tensor({{0.0F, none}, {rows.log_weight[0], rows.log_weight[1]}});
  boundary[1] = torch::tensor(rows.boundary).reshape({2, 3});
  operation[1] = torch::tensor(rows.operation).reshape({2, 3, 3});
  boundary[0][0] = torch::tensor(set_rows(one, 3, 3).boundary);
  operation[0][0] = torch::tensor(set_rows(one, 3, 3).operation).reshape({3, 3});
  const auto logits = three_layers();
  auto z = torch::tensor(logits.boundary).repeat({2, 1}).requires_grad_();
  const auto o = torch::tensor(logits.operation).reshape({1, 3, 3}).repeat({2, 1, 1});
  const auto losses = batch_set_loss(z, o, boundary, operation, weights, {});
  EXPECT_NEAR(losses[0].item<double>(), set_loss(logits, one, {}), 1e-5);
  EXPECT_NEAR(losses[1].item<double>(), set_loss(logits, both, {}), 1e-5);
  losses.sum().backward();
  EXPECT_TRUE(z.grad().isfinite().all().item<bool>()) << "where an example has fewer programs than another";
}

TEST(IdentityProbability, SumsOverItsSegmentationsAsComputedByHand) {
  const auto logits = three_layers();
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double keep = std::exp(1 - kLogZ);
  double sum = 0;  // over the starts of segments at layers 1 and 2
  for (const double at_1 : {sigmoid(-1) * keep, sigmoid(1)})
    for (const double at_2 : {sigmoid(2) * keep, sigmoid(-2)}) sum += keep * at_1 * at_2;
  EXPECT_NEAR(identity_probability(logits, 0), sum, 1e-6);
  EXPECT_NEAR(identity_probability(logits, 2), keep, 1e-6);
}

TEST(ClassWeights, AreInverseFrequenciesWithinTheBound) {
  // One segment kept; and of two segments one kept, one repeated: keep 3/4, repeat 1/4, skip never.
  const std::vector<ExampleTargets> examples{
      targets_of({Program::identity(3)}, 4), targets_of({Program{0, 1, 2, 2}}, 4), {}};
  const auto weights = class_weights(examples, 3, 3, 10);
  EXPECT_NEAR(weights.at(0), 10, 1e-6);
  EXPECT_NEAR(weights.at(1), 4.0 / 9, 1e-6);
  EXPECT_NEAR(weights.at(2), 4.0 / 3, 1e-6);
  EXPECT_NEAR(class_weights(examples, 3, 3, 1.25).at(1), 0.8, 1e-6);
  EXPECT_EQ(class_weights(examples, 3, 3, 1), (std::vector<double>{1, 1, 1}));
  EXPECT_THROW(class_weights(examples, 3, 3, 0.5), core::UsageError);
}

TEST(Loss, RefusesNoTargetsWrongDepthAndUnknownOperations) {
  EXPECT_THROW(average_rows({}, 3, 3), core::Error);
  const auto targets = targets_of({Program{0, 1, 2, 2}}, 4);
  EXPECT_THROW(average_rows(targets, 4, 3), core::Error);
  EXPECT_THROW(average_rows(targets, 3, 2), core::Error);
}

}  // namespace
}  // namespace polar::predict
