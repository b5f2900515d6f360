#pragma once
// A learnable toy for layer routers: one marked dimension of the states that enter a layer decides what it does.

#include <string>
#include <vector>

#include "core/seed.h"
#include "predict/features.h"
#include "predict/router_labels.h"
#include "predict/router_training.h"

namespace polar::test {

inline constexpr int kRouterToyWidth = 48;  ///< FlexiDepth's bottleneck is then 3

struct RouterToy {
  static constexpr predict::RouteRules kRules{
      .depth = 5, .first_layer = 1, .end_layer = 4, .min_layers = 1, .max_layers = 10};

  std::vector<predict::RouterLabel> labels;
  std::vector<std::vector<predict::TokenFeatures>> states =
      std::vector<std::vector<predict::TokenFeatures>>(static_cast<std::size_t>(kRules.routed()));

  RouterToy(int count, const std::string& name) {
    for (int i = 0; i < count; ++i) {
      core::Random random(core::derive_seed(3, name, std::to_string(i)));
      std::vector<predict::LayerChoice> choices(kRules.depth, predict::LayerChoice::kExecute);
      for (int layer = 0; layer < kRules.routed(); ++layer) {
        const auto mark = random.below(3);
        choices[static_cast<std::size_t>(kRules.first_layer + layer)] = static_cast<predict::LayerChoice>(mark);
        predict::TokenFeatures rows{1 + static_cast<int>(random.below(4)), kRouterToyWidth, {}};
        for (int j = 0; j < rows.tokens * rows.width; ++j)
          rows.values.push_back(static_cast<float>(random.uniform() - 0.5));
        for (int token = 0; token < rows.tokens; ++token)
          rows.values[static_cast<std::size_t>(token * rows.width) + mark] += 2;
        states[static_cast<std::size_t>(layer)].push_back(std::move(rows));
      }
      labels.push_back({predict::program_of(choices), std::move(choices)});
    }
  }

  predict::RouterSet set() const { return {labels, states}; }
};

inline predict::RouterShape router_toy_shape(predict::RouterKind kind) {
  return {kind, RouterToy::kRules.routed(), kRouterToyWidth, 16, 4};
}

}  // namespace polar::test
