#include "predict/training.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <utility>

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

double top_one_accuracy(const Predictor& predictor, const test::PredictorToy& toy, const DecodeOptions& options = {}) {
  const auto logits = predictor.logits(toy.features);
  int right = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    right += decode(logits[i], options)[0].program == test::toy_programs()[toy.answers[i]] ? 1 : 0;
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
  const auto report = train(predictor, train_toy.set(), valid_toy.set(), test::toy_targets(), options);
  EXPECT_GE(top_one_accuracy(predictor, test_toy), 0.99);
  EXPECT_EQ(calls, 20);
  ASSERT_EQ(report.curve.size(), 20U);
  EXPECT_LT(report.curve.back().train_loss, report.curve.front().train_loss / 4);
  EXPECT_EQ(report.train_examples, 400);
  EXPECT_EQ(report.valid_examples, 100);
  EXPECT_EQ(report.parameters, predictor.parameter_count());
  EXPECT_GT(report.seconds, 0);
  EXPECT_GE(report.curve.back().valid_membership.value(), 0.99);
  const auto identities = static_cast<double>(std::ranges::count(valid_toy.answers, 0));
  EXPECT_NEAR(report.curve.back().valid_identity.value(), identities / 100, 0.01);
}

TEST(Training, LearnsTheSameWithTheLossOverSets) {
  const test::PredictorToy train_toy(400, "train"), test_toy(400, "test");
  Predictor predictor(test::toy_shape(), 1);
  TrainingOptions options = quick(20);
  options.loss = LossKind::kSet;
  options.clip = 5;
  train(predictor, train_toy.set(), {}, test::toy_targets(), options);
  EXPECT_GE(top_one_accuracy(predictor, test_toy), 0.99);
}

/// The same input again and again, with these valid programs each.
test::PredictorToy same_input(const std::vector<std::vector<core::Program>>& valid) {
  test::PredictorToy toy(static_cast<int>(valid.size()), "same");
  toy.targets.clear();
  toy.programs = valid;
  for (auto& features : toy.features) features = toy.features[0];
  for (const auto& programs : valid) {
    std::vector<ValidProgram> list;
    for (const core::Program& program : programs) list.push_back({program, 0});
    toy.targets.push_back(make_targets(list, toy.options, toy.counts));
  }
  return toy;
}

core::Program top_one(const test::PredictorToy& toy, const TrainingOptions& options) {
  Predictor predictor(test::toy_shape(), 1);
  train(predictor, toy.set(), {}, test::toy_targets(), options);
  return decode(predictor.logits(std::span(toy.features).first(1))[0], {}).front().program;
}

const core::Program kWhole = core::Program::identity(test::kToyDepth), kFirstHalf{0, 1, 2, 3};

TEST(Training, LossOverSetsCommitsToAValidProgramWhereTheAverageCollapsesToTheIdentity) {
  std::vector<core::Program> skips;  // of one layer each
  for (int skipped = 0; skipped < test::kToyDepth; ++skipped) {
    std::vector<core::Program::Layer> layers;
    for (int layer = 0; layer < test::kToyDepth; ++layer)
      if (layer != skipped) layers.push_back(static_cast<core::Program::Layer>(layer));
    skips.emplace_back(std::move(layers));
  }
  const auto toy = same_input({skips, skips});
  TrainingOptions options = quick(150);
  EXPECT_EQ(top_one(toy, options), kWhole) << "which is not valid";
  options.loss = LossKind::kSet;
  const core::Program chosen = top_one(toy, options);
  EXPECT_NE(std::ranges::find(skips, chosen), skips.end()) << chosen.text();
}

TEST(Training, ClassBalanceFavoursRareOperations) {
  const auto toy = same_input({{kWhole}, {kWhole}, {kWhole}, {kFirstHalf}});  // layers 4-7 kept three times of four
  TrainingOptions options = quick(100);
  EXPECT_EQ(top_one(toy, options), kWhole);
  options.class_balance = 10;
  EXPECT_EQ(top_one(toy, options), kFirstHalf);
}

TEST(Training, PenaltyOnTheIdentityFavoursAnotherTarget) {
  auto toy = same_input({{kWhole, kFirstHalf}});
  for (SegmentTarget& target : toy.targets[0]) target.weight = target.operation[4] == 0 ? 0.9 : 1.1;
  TrainingOptions options = quick(100);
  EXPECT_EQ(top_one(toy, options), kWhole);
  options.identity_penalty = 3;
  EXPECT_EQ(top_one(toy, options), kFirstHalf);
  options.loss = LossKind::kSet;
  EXPECT_EQ(top_one(toy, options), kFirstHalf);
  EXPECT_EQ(top_one(same_input({{kWhole}}), options), kWhole) << "no penalty where nothing else is valid";
}

TEST(Training, ClippedGradientsMoveTheWeightsLess) {
  const test::PredictorToy toy(32, "clip");
  const auto moved = [&](double clip) {
    Predictor predictor(test::toy_shape(), 1);
    const auto before = predictor.logits(toy.features).front().operation;
    TrainingOptions options = quick(3);
    options.standardise_inputs = false;
    options.clip = clip;
    train(predictor, toy.set(), {}, test::toy_targets(), options);
    const auto after = predictor.logits(toy.features).front().operation;
    double sum = 0;
    for (std::size_t i = 0; i < after.size(); ++i) sum += std::abs(after[i] - before[i]);
    return sum;
  };
  EXPECT_LT(moved(1e-13), 1e-3 * moved(0));  // far below the epsilon of AdamW, which undoes a mere scale
}

TEST(Training, ReadsInputsOfAnyScaleAlikeWhereTheyAreStandardised) {
  const auto first_logit = [&](float scale, bool standardise) {
    test::PredictorToy toy(16, "scale");
    for (TokenFeatures& features : toy.features) {
      for (float& value : features.values) value *= scale;
    }
    Predictor predictor(test::toy_shape(), 1);
    TrainingOptions options = quick(2);
    options.standardise_inputs = standardise;
    train(predictor, toy.set(), {}, test::toy_targets(), options);
    return predictor.logits(toy.features).front().operation.front();
  };
  EXPECT_NEAR(first_logit(1, true), first_logit(100, true), 1e-3);
  EXPECT_GT(std::abs(first_logit(1, false) - first_logit(100, false)), 1e-2);
}

TEST(Training, WeighsAnExampleInEveryBatchAsInTheWholeSet) {
  const test::PredictorToy toy(16, "weights");
  const auto first_loss = [&](double weight, int batch) {
    std::vector<double> weights(16, 1);
    weights[0] = weight;
    PredictorShape shape = test::toy_shape();
    shape.dropout = 0;
    Predictor predictor(shape, 1);
    TrainingOptions options = quick(1);
    options.batch = batch;
    options.learning_rate = 1e-12;  // the weights stay, so that losses of all batches are the same function
    const TrainingSet set{toy.features, toy.targets, weights};
    return train(predictor, set, {}, test::toy_targets(), options).curve.front().train_loss;
  };
  EXPECT_NEAR(first_loss(50, 1), first_loss(50, 16), 1e-2) << "a batch of its own does not undo a weight";
  EXPECT_GT(std::abs(first_loss(50, 16) - first_loss(1, 16)), 2e-2);
}

TEST(Training, StopsAfterEpochsWithoutABetterOne) {
  const test::PredictorToy toy(16, "patience");
  TrainingOptions options = quick(9);
  options.learning_rate = 1e-12;  // nothing changes
  options.patience = 3;
  Predictor predictor(test::toy_shape(), 1);
  const auto report = train(predictor, toy.set(), toy.set(), test::toy_targets(), options);
  EXPECT_EQ(report.curve.size(), 4U);
  EXPECT_EQ(report.best_epoch, 1);
}

TEST(Training, MayKeepTheEpochOfMostValidPrograms) {
  const test::PredictorToy toy(64, "train"), other(32, "valid");
  TrainingOptions options = quick(8);
  options.learning_rate = 0.02;  // rough on purpose
  options.selection = Selection::kMembership;
  Predictor predictor(test::toy_shape(), 1);
  const auto report = train(predictor, toy.set(), other.set(), test::toy_targets(), options);
  const auto rank = [](const EpochRecord& record) { return std::pair(-*record.valid_membership, *record.valid_loss); };
  const auto best = std::ranges::min_element(report.curve, {}, rank);
  EXPECT_EQ(report.best_epoch, best->epoch);
  EXPECT_DOUBLE_EQ(top_one_accuracy(predictor, other), *best->valid_membership);
}

TEST(Training, JudgesItsProgramsByTheBoundaryThresholdAskedFor) {
  const test::PredictorToy toy(64, "train"), other(32, "valid");
  const auto judged = [&](double threshold) {
    TrainingOptions options = quick(30);
    options.boundary_threshold = threshold;
    Predictor predictor(test::toy_shape(), 1);
    const auto report = train(predictor, toy.set(), other.set(), test::toy_targets(), options);
    const EpochRecord& kept = report.curve.at(static_cast<std::size_t>(report.best_epoch) - 1);
    EXPECT_DOUBLE_EQ(top_one_accuracy(predictor, other, {.boundary_threshold = threshold}), *kept.valid_membership);
    return *kept.valid_membership;
  };
  EXPECT_GT(judged(0.5), judged(0.999));
}

TEST(Training, SameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  const test::PredictorToy toy(64, "seeds");
  const auto weights = [&](std::uint64_t model_seed, std::uint64_t seed) {
    Predictor predictor(test::toy_shape(), model_seed);
    TrainingOptions options = quick(2);
    options.seed = seed;
    train(predictor, toy.set(), toy.set(), test::toy_targets(), options);
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
  const auto report = train(predictor, toy.set(), other.set(), test::toy_targets(), options);
  double best = 1e9;
  for (const auto& record : report.curve) best = std::min(best, record.valid_loss.value());
  EXPECT_EQ(report.curve.at(report.best_epoch - 1).valid_loss, best);
  double loss = 0;
  const auto logits = predictor.logits(other.features);
  for (std::size_t i = 0; i < logits.size(); ++i) loss += average_loss(logits[i], other.targets[i], {}).total();
  EXPECT_NEAR(loss / static_cast<double>(logits.size()), best, 1e-4);
}

TEST(Training, WorksUnderTheCallersInferenceMode) {
  const c10::InferenceMode inference;
  const test::PredictorToy toy(16, "inference");
  Predictor predictor(test::toy_shape(), 1);
  const auto before = predictor.logits(toy.features);
  const auto report = train(predictor, toy.set(), {}, test::toy_targets(), quick(1));
  EXPECT_FALSE(report.curve[0].valid_loss);
  EXPECT_EQ(report.best_epoch, 1);
  EXPECT_NE(predictor.logits(toy.features)[0].operation, before[0].operation);
}

TEST(Training, WeightsDecideBetweenContradictingExamples) {
  test::PredictorToy toy(2, "weights");
  toy.features[1] = toy.features[0];
  TargetCounts counts;
  const ValidProgram skip[] = {{core::Program{0, 1, 2, 3}, 0}},
                     keep[] = {{core::Program::identity(test::kToyDepth), 0}};
  toy.targets = {make_targets(skip, toy.options, counts), make_targets(keep, toy.options, counts)};
  for (const bool prefer_skip : {true, false}) {
    const std::vector<double> weights = prefer_skip ? std::vector{9.0, 1.0} : std::vector{1.0, 9.0};
    TrainingSet set = toy.set();
    set.weights = weights;
    Predictor predictor(test::toy_shape(), 1);
    train(predictor, set, {}, test::toy_targets(), quick(60));
    const auto logits = predictor.logits(toy.features);
    EXPECT_EQ(decode(logits[0], {})[0].program, (prefer_skip ? skip : keep)[0].program);
  }
}

TEST(Training, PassesOverExamplesWithoutTargets) {
  test::PredictorToy toy(8, "gaps");
  toy.targets[2].clear();
  Predictor predictor(test::toy_shape(), 1);
  EXPECT_EQ(train(predictor, toy.set(), {}, test::toy_targets(), quick(1)).train_examples, 7);
  for (auto& targets : toy.targets) targets.clear();
  const auto message =
      test::message_of<core::Error>([&] { train(predictor, toy.set(), {}, test::toy_targets(), quick(1)); });
  EXPECT_NE(message.find("found none among 8"), std::string::npos);
}

TEST(Training, StopsWhenInterrupted) {
  const test::PredictorToy toy(8, "interrupt");
  Predictor predictor(test::toy_shape(), 1);
  const std::atomic<bool> interrupt{true};
  TrainingOptions options = quick(3);
  options.interrupt = &interrupt;
  EXPECT_THROW(train(predictor, toy.set(), {}, test::toy_targets(), options), core::Interrupted);
}

TEST(Training, RefusesSetsAndOptionsThatDoNotFit) {
  test::PredictorToy toy(4, "refuse");
  Predictor predictor(test::toy_shape(), 1);
  const std::vector<double> few{1.0}, zero{1, 0, 1, 1};
  TrainingSet set = toy.set();
  set.weights = few;
  EXPECT_THROW(train(predictor, set, {}, test::toy_targets(), quick(1)), core::Error);
  set.weights = zero;
  EXPECT_THROW(train(predictor, set, {}, test::toy_targets(), quick(1)), core::Error);
  set = toy.set();
  set.valid = std::span(toy.programs).first(2);
  EXPECT_THROW(train(predictor, set, {}, test::toy_targets(), quick(1)), core::Error);
  for (auto break_it : {+[](TrainingOptions& o) { o.epochs = 0; }, +[](TrainingOptions& o) { o.clip = -1; },
                        +[](TrainingOptions& o) { o.patience = -1; }, +[](TrainingOptions& o) { o.class_balance = 0; },
                        +[](TrainingOptions& o) { o.identity_penalty = -1; }}) {
    TrainingOptions options = quick(1);
    break_it(options);
    EXPECT_THROW(train(predictor, toy.set(), {}, test::toy_targets(), options), core::UsageError);
  }
  TrainingOptions wild = quick(3);
  wild.learning_rate = 1e30;
  EXPECT_THROW(train(predictor, toy.set(), {}, test::toy_targets(), wild), core::Error);
}

}  // namespace
}  // namespace polar::predict
