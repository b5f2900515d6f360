#include "search/additive_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace polar::search {
namespace {

using Layers = std::vector<core::Program::Layer>;

/// The features of a program of these disjoint edits of the identity.
AdditiveModel::Features program(const AdditiveModel& model, const std::vector<core::Edit>& edits) {
  AdditiveModel::Features all = AdditiveModel::intercept();
  for (const core::Edit& edit : edits) {
    Layers block;
    for (int layer = edit.first; layer <= edit.last(); ++layer)
      block.push_back(static_cast<core::Program::Layer>(layer));
    const auto features = model.features(block, edit);
    all.insert(all.end(), features.begin(), features.end());
  }
  return all;
}

double expected(const AdditiveModel& model, const std::vector<core::Edit>& edits) {
  return AdditiveModel::predict(program(model, edits), model.mean());
}

TEST(AdditiveModelTest, StartsFromThePriorMeanAndVariance) {
  const AdditiveModel model(4, 10, {.model_spread = 2, .model_reach = 3, .model_edit_cost = 1.5});
  EXPECT_EQ(expected(model, {}), 0);
  EXPECT_EQ(expected(model, {{5, 1, -1}}), -1.5);
  EXPECT_EQ(expected(model, {{5, 1, -1}, {7, 2, 1}}), -3);
  EXPECT_NEAR(model.variance(AdditiveModel::intercept()), 25, 1e-12);
  // b 25 + a 0.25 + two layers of 4 each + their covariance twice, 4 · 0.7 · exp(−1/3)
  EXPECT_NEAR(model.variance(program(model, {{5, 2, 1}})), 25 + 0.25 + 8 + 2 * 4 * 0.7 * std::exp(-1.0 / 3), 1e-9);
  // Two extra runs count twice.
  EXPECT_NEAR(model.variance(program(model, {{5, 1, 2}})), 25 + 0.25 + 4 * 4, 1e-9);
}

TEST(AdditiveModelTest, TakesAnObservationAsTheFormulaSays) {
  AdditiveModel model(0, 4, {.model_noise = 2});
  model.observe(AdditiveModel::intercept(), 0, -3);
  // gain 25 / (25 + 4): −3 · 25/29, and the variance left is 25 · 4/29.
  EXPECT_NEAR(model.mean()[0], -3 * 25.0 / 29, 1e-12);
  EXPECT_NEAR(model.variance(AdditiveModel::intercept()), 100.0 / 29, 1e-12);
}

TEST(AdditiveModelTest, CutsMarginsThatSayNoMore) {
  AdditiveModel far(0, 4, {}), cut(0, 4, {});
  far.observe(AdditiveModel::intercept(), 0, -INFINITY);
  cut.observe(AdditiveModel::intercept(), 0, -AdditiveModel::kMostMargin);
  EXPECT_EQ(far.mean(), cut.mean());
}

TEST(AdditiveModelTest, LearnsAboutNeighboursAndTheOtherEditsOfAProgram) {
  AdditiveModel model(0, 12, {});
  model.observe(program(model, {}), 0, -1);
  const double before = expected(model, {{6, 1, -1}}), far_before = expected(model, {{0, 1, -1}}),
               other_before = expected(model, {{6, 1, 1}});
  model.observe(program(model, {{5, 1, -1}}), 1, 3);
  const double near = expected(model, {{6, 1, -1}}) - before, far = expected(model, {{0, 1, -1}}) - far_before;
  EXPECT_GT(near, 0);
  EXPECT_GT(near, far) << "a skip of the next layer gains more than one of a layer far away";
  EXPECT_GT(near, expected(model, {{6, 1, 1}}) - other_before) << "and more than a repeat";
  EXPECT_GT(expected(model, {{5, 1, -1}}), 1) << "most of it is believed";
}

TEST(AdditiveModelTest, RecoversEffectsThatAddUp) {
  const auto effect = [](const core::Edit& edit) {
    double sum = -0.5;
    for (int layer = edit.first; layer <= edit.last(); ++layer) sum += std::sin(layer) * (edit.is_skip() ? 1 : -1);
    return sum;
  };
  AdditiveModel model(0, 10, {.model_noise = 0.1});
  model.observe(program(model, {}), 0, 1);
  for (int first = 0; first < 10; ++first) {
    for (const int extra : {-1, 1})
      model.observe(program(model, {{first, 1, extra}}), 1, 1 + effect({first, 1, extra}));
  }
  for (const std::vector<core::Edit>& edits :
       {std::vector<core::Edit>{{2, 1, -1}, {7, 1, 1}}, {{0, 2, 1}, {5, 1, -1}}, {{3, 3, 1}}}) {
    double sum = 1;
    for (const core::Edit& edit : edits) sum += effect(edit);
    EXPECT_NEAR(expected(model, edits), sum, 0.5);
  }
}

TEST(AdditiveModelTest, DrawsHaveThePosteriorsMeanAndVariance) {
  AdditiveModel model(0, 6, {});
  model.observe(program(model, {}), 0, -2);
  model.observe(program(model, {{1, 2, 1}}), 1, 0.5);
  const auto features = program(model, {{2, 2, 1}});
  core::Random random(3);
  const int draws = 20000;
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double drawn = AdditiveModel::predict(features, model.draw(random));
    sum += drawn;
    squares += drawn * drawn;
  }
  const double mean = sum / draws, variance = squares / draws - mean * mean;
  EXPECT_NEAR(mean, AdditiveModel::predict(features, model.mean()), 0.05);
  EXPECT_NEAR(variance / model.variance(features), 1, 0.05);
}

TEST(AdditiveModelTest, GivesAnEditTheEffectThatItsFeaturesPredict) {
  const AdditiveModel model(2, 8, {});
  core::Random random(5);
  const AdditiveModel::Weights weights = model.draw(random);
  const Layers block{3, 4, 5};
  for (const core::Edit& edit : {core::Edit{3, 3, -1}, core::Edit{3, 3, 2}})
    EXPECT_NEAR(model.effect(block, edit, weights), AdditiveModel::predict(model.features(block, edit), weights),
                1e-12);
}

}  // namespace
}  // namespace polar::search
