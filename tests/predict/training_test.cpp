#include "predict/training.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "predict/predictor.h"
#include "support/message_of.h"
#include "support/predictor_toy.h"

namespace polar::predict {
namespace {

/// Tests run side by side: more OpenMP threads than cores would spin.
class OneThread final : public ::testing::Environment {
  void SetUp() override { torch::set_num_threads(1); }
};
[[maybe_unused]] const auto* const kOneThread = ::testing::AddGlobalTestEnvironment(new OneThread);

TrainingOptions quick(int epochs) {
  TrainingOptions options;
  options.epochs = epochs;
  options.batch = 32;
  options.learning_rate = 3e-3;
  options.seed = 5;
  return options;
}

double top_one_accuracy(const Predictor& predictor, const test::PredictorToy& toy) {
  const auto logits = predictor.logits(toy.features);
  int right = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    right += decode(logits[i], {})[0].program == test::toy_programs()[toy.answers[i]] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(logits.size());
}

TEST(Predictor, HasThePublishedNumberOfParameters) {
  PredictorShape shape;
  shape.depth = 28;
  shape.input_width = 1024;
  const Predictor predictor(shape, 1);
  const std::int64_t input = 1024 * 256 + 256, attention = 4 * (256 * 256 + 256), queries = 28 * 256;
  const std::int64_t block = attention + 2 * 256 * 1024 + 1024 + 256 + 4 * 256, heads = 257 + 3 * 257;
  EXPECT_EQ(predictor.parameter_count(), input + attention + queries + 2 * block + heads);
  EXPECT_NEAR(static_cast<double>(predictor.parameter_count()) / 1e6, 2.1, 0.05);
}

TEST(Predictor, DoesNotDependOnCompanions) {
  const Predictor predictor(test::toy_shape(), 1);
  const test::PredictorToy toy(6, "padding");
  const auto together = predictor.logits(toy.features);
  for (std::size_t i = 0; i < toy.features.size(); ++i) {
    const auto alone = predictor.logits(std::span(&toy.features[i], 1)).front();
    EXPECT_EQ(alone.boundary, together[i].boundary);
    EXPECT_EQ(alone.operation, together[i].operation);
  }
}

TEST(Predictor, RefusesWrongFeaturesAndSizes) {
  const Predictor predictor(test::toy_shape(), 1);
  const std::vector<TokenFeatures> narrow{{1, 3, {1, 2, 3}}};
  EXPECT_THROW(predictor.logits(narrow), core::Error);
  for (auto break_it : {+[](PredictorShape& s) { s.depth = 0; }, +[](PredictorShape& s) { s.heads = 5; },
                        +[](PredictorShape& s) { s.operations = 1; }, +[](PredictorShape& s) { s.dropout = 1; }}) {
    PredictorShape shape = test::toy_shape();
    break_it(shape);
    EXPECT_THROW(Predictor(shape, 1), core::UsageError);
  }
}

TEST(LearningRate, WarmsUpThenFollowsACosine) {
  EXPECT_DOUBLE_EQ(scheduled_learning_rate(1, 0, 4, 12), 0.25);
  EXPECT_DOUBLE_EQ(scheduled_learning_rate(1, 3, 4, 12), 1);
  EXPECT_DOUBLE_EQ(scheduled_learning_rate(1, 4, 4, 12), 1);
  EXPECT_NEAR(scheduled_learning_rate(1, 8, 4, 12), 0.5, 1e-12);
  EXPECT_NEAR(scheduled_learning_rate(2, 10, 4, 12), 2 * 0.5 * (1 - std::sqrt(0.5)), 1e-12);
  EXPECT_DOUBLE_EQ(scheduled_learning_rate(1, 0, 10, 1), 1);
}

TEST(Training, LearnsAProgramThatATokenDetermines) {
  const test::PredictorToy train_toy(400, "train"), valid_toy(100, "valid"), test_toy(400, "test");
  Predictor predictor(test::toy_shape(), 1);
  int calls = 0;
  TrainingOptions options = quick(20);
  options.progress = [&](const EpochRecord& record, int epochs) {
    EXPECT_EQ(record.epoch, ++calls);
    EXPECT_EQ(epochs, 20);
  };
  const auto report = train(predictor, train_toy.set(), valid_toy.set(), 0, options);
  EXPECT_GE(top_one_accuracy(predictor, test_toy), 0.99);
  EXPECT_EQ(calls, 20);
  ASSERT_EQ(report.curve.size(), 20U);
  EXPECT_LT(report.curve.back().train_loss, report.curve.front().train_loss / 4);
  EXPECT_EQ(report.train_examples, 400);
  EXPECT_EQ(report.valid_examples, 100);
  EXPECT_EQ(report.parameters, predictor.parameter_count());
  EXPECT_GT(report.seconds, 0);
}

TEST(Training, SameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  const test::PredictorToy toy(64, "seeds");
  const auto weights = [&](std::uint64_t model_seed, std::uint64_t seed) {
    Predictor predictor(test::toy_shape(), model_seed);
    TrainingOptions options = quick(2);
    options.seed = seed;
    train(predictor, toy.set(), toy.set(), 0, options);
    return predictor.logits(toy.features).back().operation;
  };
  const auto once = weights(1, 5);
  EXPECT_EQ(once, weights(1, 5));
  EXPECT_NE(once, weights(1, 6));
  EXPECT_NE(once, weights(2, 5));
}

TEST(Training, KeepsTheEpochOfTheLowestValidationLoss) {
  const test::PredictorToy toy(64, "train"), other(32, "valid");
  TrainingOptions options = quick(6);
  options.learning_rate = 0.05;  // rough on purpose
  Predictor predictor(test::toy_shape(), 1);
  const auto report = train(predictor, toy.set(), other.set(), 0, options);
  double best = 1e9;
  for (const auto& record : report.curve) best = std::min(best, record.valid_loss.value());
  EXPECT_EQ(report.curve.at(report.best_epoch - 1).valid_loss, best);
  double loss = 0;
  const auto logits = predictor.logits(other.features);
  for (std::size_t i = 0; i < logits.size(); ++i) loss += example_loss(logits[i], other.targets[i], {}).total();
  EXPECT_NEAR(loss / static_cast<double>(logits.size()), best, 1e-4);
}

TEST(Training, WorksUnderTheCallersInferenceMode) {
  const c10::InferenceMode inference;
  const test::PredictorToy toy(16, "inference");
  Predictor predictor(test::toy_shape(), 1);
  const auto before = predictor.logits(toy.features);
  const auto report = train(predictor, toy.set(), {}, 0, quick(1));
  EXPECT_FALSE(report.curve[0].valid_loss);
  EXPECT_EQ(report.best_epoch, 1);
  EXPECT_NE(predictor.logits(toy.features)[0].operation, before[0].operation);
}

TEST(Training, WeightsDecideBetweenContradictingExamples) {
  test::PredictorToy toy(2, "weights");
  toy.features[1] = toy.features[0];
  TargetCounts counts;
  const core::Program skip[] = {core::Program{0, 1, 2, 3}}, keep[] = {core::Program::identity(test::kToyDepth)};
  toy.targets = {make_targets(skip, toy.options, counts), make_targets(keep, toy.options, counts)};
  for (const bool prefer_skip : {true, false}) {
    const std::vector<double> weights = prefer_skip ? std::vector{9.0, 1.0} : std::vector{1.0, 9.0};
    TrainingSet set = toy.set();
    set.weights = weights;
    Predictor predictor(test::toy_shape(), 1);
    train(predictor, set, {}, 0, quick(60));
    const auto logits = predictor.logits(toy.features);
    EXPECT_EQ(decode(logits[0], {})[0].program, prefer_skip ? skip[0] : keep[0]);
  }
}

TEST(Training, PassesOverExamplesWithoutTargets) {
  test::PredictorToy toy(8, "gaps");
  toy.targets[2].clear();
  Predictor predictor(test::toy_shape(), 1);
  EXPECT_EQ(train(predictor, toy.set(), {}, 0, quick(1)).train_examples, 7);
  for (auto& targets : toy.targets) targets.clear();
  const auto message = test::message_of<core::Error>([&] { train(predictor, toy.set(), {}, 0, quick(1)); });
  EXPECT_NE(message.find("found none among 8"), std::string::npos);
}

TEST(Training, StopsWhenInterrupted) {
  const test::PredictorToy toy(8, "interrupt");
  Predictor predictor(test::toy_shape(), 1);
  const std::atomic<bool> interrupt{true};
  TrainingOptions options = quick(3);
  options.interrupt = &interrupt;
  EXPECT_THROW(train(predictor, toy.set(), {}, 0, options), core::Interrupted);
}

TEST(Training, RefusesSetsAndOptionsThatDoNotFit) {
  test::PredictorToy toy(4, "refuse");
  Predictor predictor(test::toy_shape(), 1);
  const std::vector<double> few{1.0}, zero{1, 0, 1, 1};
  TrainingSet set = toy.set();
  set.weights = few;
  EXPECT_THROW(train(predictor, set, {}, 0, quick(1)), core::Error);
  set.weights = zero;
  EXPECT_THROW(train(predictor, set, {}, 0, quick(1)), core::Error);
  EXPECT_THROW(train(predictor, toy.set(), {}, 0, quick(0)), core::UsageError);
  TrainingOptions wild = quick(3);
  wild.learning_rate = 1e30;
  EXPECT_THROW(train(predictor, toy.set(), {}, 0, wild), core::Error);
}

}  // namespace
}  // namespace polar::predict
