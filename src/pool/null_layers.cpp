#include "pool/null_layers.h"

#include <fmt/format.h>

#include <numeric>

#include "core/digest.h"
#include "core/error.h"
#include "core/seed.h"

namespace polar::pool {
namespace {

template <typename Item>
std::vector<Item> in_order(const std::vector<Item>& items, const std::vector<int>& order) {
  std::vector<Item> placed;
  placed.reserve(items.size());
  for (const int index : order) placed.push_back(items[static_cast<std::size_t>(index)]);
  return placed;
}

}  // namespace

std::string_view to_string(NullLayers layers) {
  if (layers == NullLayers::kNone) return "none";
  return layers == NullLayers::kShuffled ? "shuffled" : "reinitialised";
}

NullLayers null_layers_of(std::string_view name) {
  for (const NullLayers layers : {NullLayers::kShuffled, NullLayers::kReinitialised}) {
    if (name == to_string(layers)) return layers;
  }
  throw core::UsageError(fmt::format("null model: expected shuffled or reinitialised, found '{}'", name));
}

std::vector<int> shuffled_order(int depth, std::uint64_t seed) {
  std::vector<int> own(static_cast<std::size_t>(depth));
  std::iota(own.begin(), own.end(), 0);
  core::Random random(core::derive_seed(seed, "null model", "order of layers"));
  std::vector<int> order = own;
  do {
    random.shuffle(order);
  } while (order == own && depth > 1);
  return order;
}

Manifest null_manifest(Manifest manifest, const NullOptions& options) {
  if (options.layers == NullLayers::kNone) return manifest;
  const std::string kind = fmt::format("layers {}, seed {}", to_string(options.layers), options.seed);
  manifest.weights_digest =
      core::sha256(fmt::format("{}; {}; revision {}", manifest.weights_digest, kind, kNullRevision));
  manifest.model_name = fmt::format("{} ({})", manifest.model_name, kind);
  if (options.layers == NullLayers::kShuffled) {
    const std::vector<int> order = shuffled_order(manifest.depth, options.seed);
    manifest.layer_files = in_order(manifest.layer_files, order);
    manifest.attention = in_order(manifest.attention, order);
  }
  return manifest;
}

}  // namespace polar::pool
