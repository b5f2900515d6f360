#include "pool/null_layers.h"

#include <gtest/gtest.h>
#include <torch/script.h>

#include <algorithm>
#include <set>

#include "core/digest.h"
#include "core/error.h"
#include "pool/module_pool.h"
#include "pool/null_weights.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::pool {
namespace {

TEST(NullLayers, PutsEveryLayerInAPlaceAndNeverAllInTheirOwn) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const int depth : {2, 3, 30}) {
      std::vector<int> order = shuffled_order(depth, seed);
      EXPECT_EQ(order, shuffled_order(depth, seed));
      EXPECT_FALSE(std::ranges::is_sorted(order));
      std::ranges::sort(order);
      for (int layer = 0; layer < depth; ++layer) EXPECT_EQ(order[static_cast<std::size_t>(layer)], layer);
    }
  }
  EXPECT_EQ(shuffled_order(1, 3), std::vector<int>{0});
  EXPECT_NE(shuffled_order(30, 1), shuffled_order(30, 2));
}

TEST(NullLayers, HasADigestAndANameOfItsOwn) {
  Manifest manifest;
  manifest.depth = 2;
  manifest.model_name = "tiny";
  manifest.weights_digest = "abc";
  manifest.layer_files = {"first", "second"};
  manifest.attention = {{.window = 7}, {.window = 9}};
  EXPECT_EQ(null_manifest(manifest, {}).weights_digest, "abc");
  std::set<std::string> digests{"abc"};
  for (const NullLayers layers : {NullLayers::kShuffled, NullLayers::kReinitialised}) {
    for (const std::uint64_t seed : {1, 2}) {
      const Manifest null = null_manifest(manifest, {layers, seed});
      digests.insert(null.weights_digest);
      EXPECT_EQ(null.weights_digest, null_manifest(manifest, {layers, seed}).weights_digest);
      EXPECT_NE(null.model_name.find(to_string(layers)), std::string::npos) << null.model_name;
    }
  }
  EXPECT_EQ(digests.size(), 5U);
  EXPECT_EQ(null_manifest(manifest, {NullLayers::kReinitialised, 2}).weights_digest,
            core::sha256("abc; layers reinitialised, seed 2; revision 1"));
  const Manifest shuffled = null_manifest(manifest, {NullLayers::kShuffled, 1});
  EXPECT_EQ(shuffled.layer_files, (std::vector<std::string>{"second", "first"}));
  EXPECT_EQ(shuffled.attention[0].window, 9) << "a layer keeps its attention";
}

TEST(NullLayers, ReadsTheNamesItWritesAndRefusesOthers) {
  for (const NullLayers layers : {NullLayers::kShuffled, NullLayers::kReinitialised})
    EXPECT_EQ(null_layers_of(to_string(layers)), layers);
  EXPECT_THROW(null_layers_of("none"), core::UsageError);
  EXPECT_THROW(null_layers_of("random"), core::UsageError);
}

torch::jit::Module some_layer() {
  at::manual_seed(5);
  torch::jit::Module module("Layer");
  module.register_parameter("down", at::randn({300, 401}) * 0.02 + 0.5, /*is_buffer=*/false);
  module.register_parameter("bias", at::full({7}, 0.25), false);
  module.register_parameter("mlp_norm", at::randn({64}), false);
  module.register_buffer("rope", at::randn({16, 8}));
  return module;
}

TEST(NullWeights, KeepMeanAndDeviationOfEachTensorAndLeaveNormsAndTables) {
  const torch::jit::Module before = some_layer();
  torch::jit::Module module = some_layer();
  reinitialise_weights(module, "layer_000.ts", 1);
  const at::Tensor drawn = module.attr("down").toTensor(), old = before.attr("down").toTensor();
  EXPECT_EQ(drawn.sizes(), old.sizes());
  const auto count = static_cast<double>(drawn.numel());
  const double deviation = old.std().item<double>();
  EXPECT_NEAR(drawn.mean().item<double>(), old.mean().item<double>(), 5 * deviation / std::sqrt(count));
  EXPECT_NEAR(drawn.std().item<double>(), deviation, 5 * deviation / std::sqrt(2 * count));
  const at::Tensor normal = (drawn - drawn.mean()) / drawn.std();
  EXPECT_NEAR(normal.pow(4).mean().item<double>(), 3, 0.1) << "a normal distribution";
  EXPECT_LT((normal * (old - old.mean()) / deviation).mean().abs().item<double>(), 0.02) << "nothing of the old values";
  EXPECT_TRUE(at::equal(module.attr("bias").toTensor(), before.attr("bias").toTensor())) << "all values alike";
  EXPECT_TRUE(at::equal(module.attr("mlp_norm").toTensor(), before.attr("mlp_norm").toTensor()));
  EXPECT_TRUE(at::equal(module.attr("rope").toTensor(), before.attr("rope").toTensor()));
}

TEST(NullWeights, AreAFunctionOfSeedAndLayer) {
  const auto drawn = [](const char* layer, std::uint64_t seed) {
    torch::jit::Module module = some_layer();
    reinitialise_weights(module, layer, seed);
    return module.attr("down").toTensor();
  };
  const at::Tensor one = drawn("layer_000.ts", 1);
  EXPECT_TRUE(at::equal(one, drawn("layer_000.ts", 1)));
  EXPECT_FALSE(at::equal(one, drawn("layer_000.ts", 2)));
  EXPECT_FALSE(at::equal(one, drawn("layer_001.ts", 1)));
}

class NullPool : public testing::Test {
 protected:
  NullPool() { test::write_tiny_pool(folder_ / "pool"); }
  std::shared_ptr<const ModulePool> load(const NullOptions& null, DType dtype = DType::kFloat32) const {
    LoadOptions options;
    options.dtype = dtype;
    options.null = null;
    return ModulePool::load(folder_ / "pool", options);
  }
  static at::Tensor after(const ModulePool& pool, int layer) {
    const at::Tensor hidden = pool.embed(at::arange(9, at::kLong));
    const auto [q, k, v] = pool.attend_in(layer, hidden, at::arange(9, at::kLong));
    return pool.attend_out(layer, hidden, q.reshape({9, -1}));
  }
  test::TemporaryFolder folder_;
};

TEST_F(NullPool, RunsAnotherLayerInEachPlaceWhenShuffled) {
  const auto pool = load({}), null = load({NullLayers::kShuffled, 4});
  const std::vector<int> order = shuffled_order(pool->manifest().depth, 4);
  for (int place = 0; place < pool->manifest().depth; ++place)
    EXPECT_TRUE(at::equal(after(*null, place), after(*pool, order[static_cast<std::size_t>(place)]))) << place;
  EXPECT_NE(null->manifest().weights_digest, pool->manifest().weights_digest);
}

TEST_F(NullPool, HasOtherLayersBetweenTheSameEmbeddingAndHeadWhenReinitialised) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    const auto pool = load({}, dtype), null = load({NullLayers::kReinitialised, 4}, dtype);
    const auto same = load({NullLayers::kReinitialised, 4}, dtype);
    const at::Tensor hidden = pool->embed(at::arange(9, at::kLong));
    EXPECT_TRUE(at::equal(null->embed(at::arange(9, at::kLong)), hidden));
    EXPECT_TRUE(at::equal(null->head(hidden), pool->head(hidden)));
    for (int layer = 0; layer < pool->manifest().depth; ++layer) {
      EXPECT_FALSE(at::equal(after(*null, layer), after(*pool, layer))) << layer;
      EXPECT_TRUE(at::equal(after(*null, layer), after(*same, layer))) << layer;
      EXPECT_EQ(at::equal(after(*null, layer), after(*null, 0)), layer == 0) << layer;
    }
  }
}

}  // namespace
}  // namespace polar::pool
