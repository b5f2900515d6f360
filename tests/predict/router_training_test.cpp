#include "predict/router_training.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "core/error.h"
#include "support/message_of.h"
#include "support/router_toy.h"
#include "support/temporary_folder.h"

namespace polar::predict {
namespace {

constexpr RouteRules kToyRules = test::RouterToy::kRules;

RouterTrainingOptions quick_routers(int epochs) {
  RouterTrainingOptions options;
  options.epochs = epochs;
  options.learning_rate = 0.01;
  options.warmup_steps = 10;
  return options;
}

/// Share of choices as labelled, a repeat counting as an execution for routers that have none.
double right_share(const RouterNetwork& network, const test::RouterToy& toy) {
  int right = 0, all = 0;
  for (int layer = 0; layer < kToyRules.routed(); ++layer) {
    for (std::size_t i = 0; i < toy.labels.size(); ++i, ++all) {
      const auto chosen = choose_by(network.logits(layer, toy.states[static_cast<std::size_t>(layer)][i]), 0);
      const auto label = toy.labels[i].choices[static_cast<std::size_t>(kToyRules.first_layer + layer)];
      right += static_cast<int>(chosen) == std::min(static_cast<int>(label), network.classes() - 1) ? 1 : 0;
    }
  }
  return static_cast<double>(right) / all;
}

class RouterLearning : public testing::TestWithParam<RouterKind> {};

TEST_P(RouterLearning, FindsWhatTheStatesDetermine) {
  const test::RouterToy train_toy(300, "train"), valid_toy(100, "valid"), test_toy(300, "test");
  RouterNetwork network(test::router_toy_shape(GetParam()), 1);
  EXPECT_LT(right_share(network, test_toy), 0.9);
  int layers = 0;
  RouterTrainingOptions options = quick_routers(15);
  options.layer_done = [&] { ++layers; };
  const auto report = train_routers(network, kToyRules, train_toy.set(), valid_toy.set(), options);
  EXPECT_EQ(layers, kToyRules.routed());
  EXPECT_GE(right_share(network, test_toy), 0.99);
  ASSERT_EQ(report.curve.size(), 15U);
  EXPECT_LT(report.curve.back().train_loss, report.curve.front().train_loss / 4);
  EXPECT_LT(*report.curve.back().valid_loss, *report.curve.front().valid_loss / 4);
  EXPECT_EQ(report.choices, choice_counts(train_toy.labels, kToyRules));
  EXPECT_EQ(report.class_weights.size(), static_cast<std::size_t>(network.classes()));
  EXPECT_EQ(report.parameters, network.parameter_count());
  EXPECT_EQ(report.train_examples, 300);
  EXPECT_EQ(report.valid_examples, 100);
  EXPECT_NEAR(*report.valid.accuracy(), right_share(network, valid_toy), 1e-9);
  EXPECT_GE(*report.valid.f1(LayerChoice::kSkip), 0.99);
  EXPECT_EQ(report.valid.f1(LayerChoice::kRepeat).has_value(), network.classes() == 3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RouterLearning, testing::ValuesIn(router_kinds().begin(), router_kinds().end()),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

TEST(RouterNetwork, HasThePublishedNumberOfParametersALayer) {
  RouterShape shape{RouterKind::kDrllm, 2, 64, 128, 8};
  EXPECT_EQ(RouterNetwork(shape, 1).parameter_count(), 2 * ((64 * 128 + 128) + (128 * 3 + 3)));
  shape.kind = RouterKind::kMindskip;
  EXPECT_EQ(RouterNetwork(shape, 1).parameter_count(), 2 * 64);
  shape.kind = RouterKind::kFlexidepth;
  EXPECT_EQ(RouterNetwork(shape, 1).parameter_count(), 2 * (64 * 4 + 4 * 64 + 64));
}

TEST(RouterNetwork, AveragesLogitsOverWindows) {
  const RouterNetwork network({RouterKind::kDrllm, 2, 6, 16, 4}, 1);
  const std::vector<float> a{1, 2, 3, 4, 5, 6}, b{0, -1, 0, 1, 0, 2};
  std::vector<float> both = a;
  both.insert(both.end(), b.begin(), b.end());
  const auto of_a = network.logits(1, {1, 6, a}), of_b = network.logits(1, {1, 6, b}),
             of_both = network.logits(1, {2, 6, both});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(of_both[i], (of_a[i] + of_b[i]) / 2, 1e-5);
  EXPECT_NE(of_a, network.logits(0, {1, 6, a})) << "each layer has a router of its own";
}

TEST(RouterNetwork, GatesSkipWithLogitZeroWhateverTheScaleOfTheStates) {
  for (const RouterKind kind : {RouterKind::kMindskip, RouterKind::kFlexidepth}) {
    const RouterNetwork network({kind, 1, 6, 16, 4}, 1);
    const auto small = network.logits(0, {1, 6, {1, 2, 3, 4, 5, 6}});
    const auto large = network.logits(0, {1, 6, {100, 200, 300, 400, 500, 600}});
    ASSERT_EQ(small.size(), 2U);
    EXPECT_EQ(small[0], 0);
    EXPECT_NE(small[1], 0);
    EXPECT_NEAR(small[1], large[1], 1e-4);
  }
}

TEST(RouterNetwork, RefusesWrongFeaturesAndSizes) {
  const RouterNetwork network(test::router_toy_shape(RouterKind::kDrllm), 1);
  EXPECT_THROW(network.logits(0, {1, 3, {1, 2, 3}}), core::Error);
  EXPECT_THROW(RouterNetwork({RouterKind::kDrllm, 0, 6, 16, 4}, 1), core::UsageError);
  EXPECT_THROW(router_kind("mod"), core::Error);
}

TEST(RouterTraining, SameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  const test::RouterToy toy(40, "seeds");
  const auto weights = [&](std::uint64_t network_seed, std::uint64_t seed) {
    RouterNetwork network(test::router_toy_shape(RouterKind::kDrllm), network_seed);
    RouterTrainingOptions options = quick_routers(2);
    options.seed = seed;
    train_routers(network, kToyRules, toy.set(), {{}, std::vector<std::vector<TokenFeatures>>(3)}, options);
    return network.logits(2, toy.states[2].back());
  };
  const auto once = weights(1, 5);
  EXPECT_EQ(once, weights(1, 5));
  EXPECT_NE(once, weights(1, 6));
  EXPECT_NE(once, weights(2, 5));
}

TEST(RouterTraining, WeighsGatesByExecutionsThatIncludeRepeats) {
  const test::RouterToy toy(40, "gates");
  RouterNetwork network(test::router_toy_shape(RouterKind::kMindskip), 1);
  const auto report = train_routers(network, kToyRules, toy.set(), toy.set(), quick_routers(1));
  const std::vector<std::int64_t> counts{report.choices[0], report.choices[1] + report.choices[2]};
  EXPECT_EQ(report.class_weights, effective_number_weights(counts, 0.999));
}

TEST(RouterTraining, WorksUnderTheCallersInferenceModeAndLeavesItsThreads) {
  const c10::InferenceMode inference;
  const int threads = torch::get_num_threads();
  const test::RouterToy toy(20, "inference");
  RouterNetwork network(test::router_toy_shape(RouterKind::kDrllm), 1);
  const auto before = network.logits(0, toy.states[0][0]);
  train_routers(network, kToyRules, toy.set(), toy.set(), quick_routers(1));
  EXPECT_NE(network.logits(0, toy.states[0][0]), before);
  EXPECT_EQ(torch::get_num_threads(), threads);
}

/// What a training of the toy leaves: weights, and report without the time. Interrupted after `stop_after` layers (0:
/// never).
struct TrainedToy {
  std::string weights;
  nlohmann::json report;
  std::string said;
};

TrainedToy trained_toy(RouterTrainingOptions options, int stop_after = 0) {
  const test::RouterToy toy(60, "train"), valid(30, "valid");
  RouterNetwork network(test::router_toy_shape(RouterKind::kDrllm), 1);
  TrainedToy trained;
  std::atomic<bool> interrupt{false};
  int layers = 0;
  options.interrupt = &interrupt;
  options.layer_done = [&] { interrupt = ++layers == stop_after; };
  options.say = [&](const std::string& line) { trained.said += line; };
  try {
    trained.report = report_json(train_routers(network, kToyRules, toy.set(), valid.set(), options));
  } catch (const core::Interrupted& interrupted) {
    trained.said += interrupted.what();
  }
  trained.weights = network.save();
  return trained;
}

TEST(RouterTraining, GoesOnAfterTheLastWholeLayerToTheSameWeights) {
  const test::TemporaryFolder folder;
  RouterTrainingOptions options = quick_routers(3);
  const TrainedToy whole = trained_toy(options);
  options.checkpoint = folder / "checkpoint";
  options.digest = "this training";
  EXPECT_NE(trained_toy(options, 2).said.find("run it again to go on with this layer"), std::string::npos);
  const TrainedToy resumed = trained_toy(options);
  EXPECT_NE(resumed.said.find("training goes on after 2 of 3 layers"), std::string::npos) << resumed.said;
  EXPECT_EQ(resumed.weights, whole.weights);
  EXPECT_EQ(resumed.report, whole.report);
  EXPECT_EQ(trained_toy(options).report, whole.report) << "every layer is found";
}

TEST(RouterTraining, PassesOverTheCheckpointOfAnotherTraining) {
  const test::TemporaryFolder folder;
  RouterTrainingOptions options = quick_routers(2);
  const TrainedToy whole = trained_toy(options);
  options.checkpoint = folder / "checkpoint";
  options.digest = "another training";
  RouterTrainingOptions longer = options;
  longer.epochs = 5;
  trained_toy(longer);
  options.digest = "this training";
  const TrainedToy anew = trained_toy(options);
  EXPECT_NE(anew.said.find("passed over"), std::string::npos) << anew.said;
  EXPECT_EQ(anew.weights, whole.weights);
  options.digest = "";
  EXPECT_THROW(trained_toy(options), core::UsageError);
}

TEST(RouterTraining, StopsWhenInterruptedAndRefusesSetsAndOptionsThatDoNotFit) {
  const test::RouterToy toy(8, "refuse");
  RouterNetwork network(test::router_toy_shape(RouterKind::kDrllm), 1);
  const auto trained = [&](const RouterSet& set, const RouterTrainingOptions& options) {
    train_routers(network, kToyRules, set, toy.set(), options);
  };
  const std::atomic<bool> interrupt{true};
  RouterTrainingOptions options = quick_routers(1);
  options.interrupt = &interrupt;
  EXPECT_THROW(trained(toy.set(), options), core::Interrupted);
  RouterSet few = toy.set();
  few.labels = few.labels.first(7);
  const auto message = test::message_of<core::Error>([&] { trained(few, quick_routers(1)); });
  EXPECT_NE(message.find("training set: expected 7 labels"), std::string::npos) << message;
  EXPECT_THROW(trained({{}, std::vector<std::vector<TokenFeatures>>(3)}, quick_routers(1)), core::Error);
  for (auto break_it :
       {+[](RouterTrainingOptions& o) { o.epochs = 0; }, +[](RouterTrainingOptions& o) { o.gamma = 0.5; },
        +[](RouterTrainingOptions& o) { o.beta = 1; }, +[](RouterTrainingOptions& o) { o.weight_decay = -1; }}) {
    RouterTrainingOptions wrong = quick_routers(1);
    break_it(wrong);
    EXPECT_THROW(trained(toy.set(), wrong), core::UsageError);
  }
}

}  // namespace
}  // namespace polar::predict
