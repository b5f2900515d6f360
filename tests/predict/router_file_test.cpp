#include "predict/router_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/router_toy.h"
#include "support/temporary_folder.h"

namespace polar::predict {
namespace {

TrainedRouters toy_routers(RouterKind kind) {
  return {{"pool-digest", "task-digest", kRouterFeatures, 1},
          test::RouterToy::kRules,
          RouterNetwork(test::router_toy_shape(kind), 3),
          {{"train_examples", 7}}};
}

TEST(RouterFile, GivesTheSameChoicesAndReportBack) {
  const test::RouterToy toy(30, "file");
  for (const RouterKind kind : router_kinds()) {
    const test::TemporaryFolder folder;
    const TrainedRouters trained = toy_routers(kind);
    save_routers(folder.path(), trained);
    const TrainedRouters loaded = load_routers(folder.path(), "pool-digest");
    EXPECT_EQ(loaded.origin, trained.origin);
    EXPECT_EQ(loaded.rules, trained.rules);
    EXPECT_EQ(loaded.network.shape(), trained.network.shape());
    EXPECT_EQ(loaded.report, trained.report);
    for (int layer = 0; layer < trained.rules.routed(); ++layer) {
      for (const TokenFeatures& states : toy.states[static_cast<std::size_t>(layer)]) {
        EXPECT_EQ(loaded.network.logits(layer, states), trained.network.logits(layer, states));
        EXPECT_EQ(loaded.choose(1 + layer, states), trained.choose(1 + layer, states));
      }
    }
  }
}

TEST(RouterFile, PoolsAllRowsIntoItsWindowsBeforeItChooses) {
  const TrainedRouters trained = toy_routers(RouterKind::kDrllm);
  TokenFeatures rows{9, test::kRouterToyWidth, {}};
  for (int i = 0; i < 9 * test::kRouterToyWidth; ++i) rows.values.push_back(static_cast<float>(i % 7) - 3);
  EXPECT_EQ(trained.choose(2, rows), choose_by(trained.network.logits(1, window_means(rows, 4)), 0));
}

TEST(RouterFile, RefusesRoutersOfAnotherPoolAndNamesBothDigests) {
  const test::TemporaryFolder folder;
  save_routers(folder.path(), toy_routers(RouterKind::kDrllm));
  const auto message = test::message_of<core::Error>([&] { load_routers(folder.path(), "another-digest"); });
  EXPECT_NE(message.find("another-digest"), std::string::npos) << message;
  EXPECT_NE(message.find("pool-digest"), std::string::npos) << message;
}

TEST(RouterFile, RefusesAManifestThatDoesNotFitItsWeights) {
  const test::TemporaryFolder folder;
  save_routers(folder.path(), toy_routers(RouterKind::kDrllm));
  const auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  const auto with = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json changed = manifest;
    changed.at("body")[key] = value;
    core::write_file(folder / "manifest.json", changed.dump());
    return test::message_of<core::Error>([&] { load_routers(folder.path(), "pool-digest"); });
  };
  EXPECT_NE(with("end_layer", 3).find("router weights: expected"), std::string::npos);
  EXPECT_NE(with("end_layer", 9).find("expected 0 <= first layer < end layer <= 5"), std::string::npos);
  EXPECT_NE(with("router", "mod").find("expected drllm, mindskip or flexidepth, found 'mod'"), std::string::npos);
}

}  // namespace
}  // namespace polar::predict
