#include "search/additive_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace polar::search {
namespace {

using core::Edit;
using Edits = std::vector<Edit>;

/// Skips and repeats of one to three of `layers` layers.
Edits candidates(int layers) {
  Edits edits;
  for (int first = 0; first < layers; ++first) {
    for (int length = 1; length <= 3 && first + length <= layers; ++length) {
      for (const int extra : {-1, 1, 2}) edits.push_back({first, length, extra});
    }
  }
  return edits;
}

SearchOptions options() {
  return {.model_spread = 1.5, .model_noise = 1, .model_reach = 2, .model_skip_cost = 0.9, .model_repeat_cost = 0.6};
}

const AdditiveModel::Effect& effect(const AdditiveModel& model, const Edit& edit) {
  return model.effect(model.index_of(edit));
}

TEST(AdditiveModelTest, StartsFromThePrior) {
  const AdditiveModel model(candidates(8), options());
  EXPECT_EQ(model.intercept().mean, 0);
  EXPECT_EQ(model.intercept().variance, 4);
  EXPECT_DOUBLE_EQ(effect(model, {2, 3, -1}).mean, -2.7) << "0.9 a skipped layer";
  EXPECT_DOUBLE_EQ(effect(model, {2, 3, 2}).mean, -1.2) << "0.6 an extra run, however long the block";
  EXPECT_DOUBLE_EQ(effect(model, {2, 3, -1}).variance, 2.25 + 0.25 * 9);
  EXPECT_DOUBLE_EQ(effect(model, {2, 1, 1}).variance, 2.25 + 0.25);
}

TEST(AdditiveModelTest, TakesAnObservationAsTheFormulaSays) {
  AdditiveModel model(candidates(8), options());
  model.observe({}, -3);
  // The identity: variance 4, noise 1. b: −3 · 4/5, and 4 − 16/5 is left; no effect is in it.
  EXPECT_DOUBLE_EQ(model.intercept().mean, -2.4);
  EXPECT_NEAR(model.intercept().variance, 0.8, 1e-12);
  EXPECT_DOUBLE_EQ(effect(model, {2, 1, 1}).mean, -0.6);
  model.observe(Edits{{2, 1, 1}}, 2);
  // Expected −2.4 − 0.6 = −3, variance 0.8 + 2.5 + noise 1 = 4.3; surprise 5.
  EXPECT_NEAR(effect(model, {2, 1, 1}).mean, -0.6 + 2.5 / 4.3 * 5, 1e-12);
  EXPECT_NEAR(effect(model, {2, 1, 1}).variance, 2.5 - 2.5 * 2.5 / 4.3, 1e-12);
  EXPECT_NEAR(model.intercept().mean, -2.4 + 0.8 / 4.3 * 5, 1e-12);
  // A block one layer further has covariance 2.25·exp(−2/2) + 0.25 with it; a skip has none.
  EXPECT_NEAR(effect(model, {3, 1, 1}).mean, -0.6 + (2.25 * std::exp(-1) + 0.25) / 4.3 * 5, 1e-12);
  EXPECT_DOUBLE_EQ(effect(model, {2, 1, -1}).mean, -0.9);
}

TEST(AdditiveModelTest, CutsMarginsThatSayNoMore) {
  AdditiveModel far(candidates(6), options()), cut(candidates(6), options());
  far.observe({}, -INFINITY);
  cut.observe({}, -AdditiveModel::kMostMargin);
  EXPECT_EQ(far.intercept().mean, cut.intercept().mean);
}

TEST(AdditiveModelTest, DoesNotDependOnTheOrderOfObservations) {
  const std::vector<std::pair<Edits, double>> seen{
      {{}, -1}, {{{2, 1, 1}}, 0.5}, {{{2, 1, 1}, {5, 2, -1}}, -2}, {{{0, 3, 1}}, 1}, {{{5, 1, -1}}, 0.25}};
  AdditiveModel forward(candidates(9), options()), backward(candidates(9), options());
  for (const auto& [edits, margin] : seen) forward.observe(edits, margin);
  for (auto one = seen.rbegin(); one != seen.rend(); ++one) backward.observe(one->first, one->second);
  for (std::size_t i = 0; i < candidates(9).size(); ++i) {
    EXPECT_NEAR(forward.effect(i).mean, backward.effect(i).mean, 1e-9);
    EXPECT_NEAR(forward.effect(i).variance, backward.effect(i).variance, 1e-9);
  }
}

TEST(AdditiveModelTest, RecoversEffectsThatAddUp) {
  SearchOptions exact = options();
  exact.model_noise = 0.05;
  AdditiveModel model(candidates(10), exact);
  const auto true_effect = [](const Edit& edit) { return std::sin(2 * edit.first) + (edit.is_skip() ? -1 : 0.3); };
  model.observe({}, 1);
  // Pairs only: each effect shows in several of them.
  for (int first = 0; first < 10; ++first) {
    for (const int other : {(first + 4) % 10, (first + 7) % 10}) {
      Edits pair{{std::min(first, other), 1, first % 2 == 0 ? 1 : -1}, {std::max(first, other), 1, 1}};
      model.observe(pair, 1 + true_effect(pair[0]) + true_effect(pair[1]));
    }
  }
  for (const int first : {4, 6, 8}) EXPECT_NEAR(effect(model, {first, 1, 1}).mean, true_effect({first, 1, 1}), 0.35);
}

TEST(AdditiveModelTest, DrawsEachEffectFromItsPosterior) {
  AdditiveModel model(candidates(6), options());
  model.observe({}, -2);
  model.observe(Edits{{1, 2, 1}}, 0.5);
  const std::size_t drawn_effect = model.index_of({1, 2, 1});
  core::Random random(3);
  const int draws = 20000;
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double drawn = model.draw(random)[drawn_effect];
    sum += drawn;
    squares += drawn * drawn;
  }
  const double mean = sum / draws, variance = squares / draws - mean * mean;
  EXPECT_NEAR(mean, model.effect(drawn_effect).mean, 0.05);
  EXPECT_NEAR(variance / model.effect(drawn_effect).variance, 1, 0.05);
}

}  // namespace
}  // namespace polar::search
