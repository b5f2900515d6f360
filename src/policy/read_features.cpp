#include "policy/read_features.h"

#include <utility>

namespace polar::policy {

core::Program feature_program(const predict::Origin& origin) {
  if (origin.features != "states" || origin.prefix_layers == 0) return {};
  return core::Program::identity(origin.prefix_layers);
}

std::vector<predict::TokenFeatures> read_features(exec::Executor& executor,
                                                  std::span<const exec::EncodedExample> prompts,
                                                  const core::Program& prefix) {
  std::vector<predict::TokenFeatures> features;
  for (exec::States& states : executor.states(prompts, prefix))
    features.push_back({states.tokens, states.width, std::move(states.values)});
  return features;
}

}  // namespace polar::policy
