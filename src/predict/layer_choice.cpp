#include "predict/layer_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/segment.h"

namespace polar::predict {
namespace {

constexpr core::SegmentLimits kSingleLayers{.max_length = 1, .max_runs = 2};

using Probabilities = std::array<double, kLayerChoices.size()>;

Probabilities softmax_of(std::span<const float> logits) {
  const bool finite = std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); });
  if (logits.size() < 2 || logits.size() > kLayerChoices.size() || !finite) {
    throw core::Error(
        fmt::format("router: expected two or three finite logits, found [{}]; the states or the weights are damaged",
                    fmt::join(logits, ", ")));
  }
  const double largest = std::ranges::max(logits);
  Probabilities q{};
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += q[i] = std::exp(logits[i] - largest);
  for (double& each : q) each /= sum;
  return q;
}

Probabilities certain(LayerChoice choice) {
  Probabilities q{};
  q[static_cast<std::size_t>(choice)] = 1;
  return q;
}

Probabilities blend(const Probabilities& from, const Probabilities& to, double share) {
  Probabilities q{};
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = (1 - share) * from[i] + share * to[i];
  return q;
}

}  // namespace

std::string_view to_string(LayerChoice choice) {
  constexpr std::array<std::string_view, kLayerChoices.size()> kNames{"skip", "execute", "repeat"};
  return kNames[static_cast<std::size_t>(choice)];
}

void check_route_rules(const RouteRules& rules) {
  if (rules.first_layer < 0 || rules.first_layer >= rules.end_layer || rules.end_layer > rules.depth) {
    throw core::UsageError(
        fmt::format("routers: expected 0 <= first layer < end layer <= {}, the depth, found {} and {}", rules.depth,
                    rules.first_layer, rules.end_layer));
  }
  if (rules.min_layers < 1 || rules.min_layers > rules.depth || rules.max_layers < rules.depth) {
    throw core::UsageError(
        fmt::format("routers: expected programs of at least 1 … {0} and at most {0} or more executions, so that the "
                    "identity is one, found {1} and {2}",
                    rules.depth, rules.min_layers, rules.max_layers));
  }
}

LayerChoice within_bounds(LayerChoice wanted, int layer, int steps, const RouteRules& rules) {
  const int least = steps + (rules.depth - layer - 1);  // with this layer skipped and the others run once
  if (wanted == LayerChoice::kSkip && least < rules.min_layers) return LayerChoice::kExecute;
  if (wanted == LayerChoice::kRepeat && least + 2 > rules.max_layers) return LayerChoice::kExecute;
  return wanted;
}

std::optional<std::vector<LayerChoice>> choices_of(const core::Program& program, const RouteRules& rules) {
  if (program.length() < rules.min_layers || program.length() > rules.max_layers) return std::nullopt;
  const std::optional<core::Segments> segments = core::parse_segments(program, rules.depth, kSingleLayers);
  if (!segments) return std::nullopt;
  std::vector<LayerChoice> choices;
  for (const core::Segment& segment : *segments) {
    if (segment.runs != 1 && !rules.routes(segment.first)) return std::nullopt;
    choices.push_back(static_cast<LayerChoice>(segment.runs));
  }
  return choices;
}

core::Program program_of(std::span<const LayerChoice> choices) {
  std::vector<core::Program::Layer> layers;
  for (std::size_t layer = 0; layer < choices.size(); ++layer)
    layers.insert(layers.end(), static_cast<std::size_t>(choices[layer]), static_cast<core::Program::Layer>(layer));
  return layers.empty() ? core::Program() : core::Program(std::move(layers));
}

LayerChoice choose_by(std::span<const float> logits, double dial) {
  Probabilities q = softmax_of(logits);
  if (dial < 0) {
    q = blend(q, certain(LayerChoice::kSkip), -dial);
  } else if (dial <= 0.5) {
    q = blend(q, certain(LayerChoice::kExecute), 2 * dial);
  } else {
    q = blend(certain(LayerChoice::kExecute), certain(LayerChoice::kRepeat), 2 * dial - 1);
  }
  return static_cast<LayerChoice>(std::ranges::max_element(q) - q.begin());
}

}  // namespace polar::predict
