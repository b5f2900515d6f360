#include "predict/router_labels.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/error.h"

namespace polar::predict {
namespace {

bool better_label(const core::Program& a, const core::Program& b) {
  if (a.length() != b.length()) return a.length() < b.length();
  const int of_a = a.unique_depth(), of_b = b.unique_depth();
  return of_a != of_b ? of_a < of_b : a < b;
}

}  // namespace

std::optional<RouterLabel> router_label(std::span<const core::Program> valid, const RouteRules& rules,
                                        RouterLabelCounts& counts) {
  ++counts.examples;
  counts.programs += static_cast<int>(valid.size());
  const core::Program* published = nullptr;
  std::optional<RouterLabel> best;
  for (const core::Program& program : valid) {
    if (published == nullptr || better_label(program, *published)) published = &program;
    auto choices = choices_of(program, rules);
    if (!choices) {
      ++counts.inexpressible;
    } else if (!best || better_label(program, best->program)) {
      best = RouterLabel{program, std::move(*choices)};
    }
  }
  if (valid.empty()) ++counts.without_valid;
  if (!valid.empty() && !best) ++counts.dropped;
  if (best) {
    ++counts.labelled;
    if (best->program != *published) ++counts.replaced;
  }
  return best;
}

std::array<std::int64_t, kLayerChoices.size()> choice_counts(std::span<const RouterLabel> labels,
                                                             const RouteRules& rules) {
  std::array<std::int64_t, kLayerChoices.size()> counts{};
  for (const RouterLabel& label : labels) {
    for (int layer = rules.first_layer; layer < rules.end_layer; ++layer)
      ++counts[static_cast<std::size_t>(label.choices[static_cast<std::size_t>(layer)])];
  }
  return counts;
}

std::vector<double> effective_number_weights(std::span<const std::int64_t> counts, double beta) {
  if (!(beta >= 0 && beta < 1))
    throw core::UsageError(fmt::format("class weights: beta: expected 0 <= beta < 1, found {}", beta));
  std::vector<double> weights;
  double sum = 0;
  int occurring = 0;
  for (const std::int64_t count : counts) {
    weights.push_back(count > 0 ? (1 - beta) / (1 - std::pow(beta, static_cast<double>(count))) : 0);
    sum += weights.back();
    occurring += count > 0 ? 1 : 0;
  }
  for (double& weight : weights) weight *= sum > 0 ? occurring / sum : 0;
  return weights;
}

std::optional<double> ChoiceTable::f1(LayerChoice choice) const {
  const auto own = static_cast<std::size_t>(choice);
  std::int64_t labelled = 0, chosen = 0;
  for (std::size_t other = 0; other < counts.size(); ++other) {
    labelled += counts[own][other];
    chosen += counts[other][own];
  }
  if (labelled + chosen == 0) return std::nullopt;
  return 2 * static_cast<double>(counts[own][own]) / static_cast<double>(labelled + chosen);
}

std::optional<double> ChoiceTable::accuracy() const {
  std::int64_t right = 0, all = 0;
  for (std::size_t label = 0; label < counts.size(); ++label) {
    right += counts[label][label];
    for (const std::int64_t count : counts[label]) all += count;
  }
  if (all == 0) return std::nullopt;
  return static_cast<double>(right) / static_cast<double>(all);
}

}  // namespace polar::predict
