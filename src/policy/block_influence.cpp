#include "policy/block_influence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace polar::policy {
namespace {

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, norm_a = 0, norm_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    norm_a += static_cast<double>(a[i]) * a[i];
    norm_b += static_cast<double>(b[i]) * b[i];
  }
  if (norm_a == 0 || norm_b == 0) return norm_a == norm_b ? 1 : 0;
  return dot / std::sqrt(norm_a * norm_b);
}

}  // namespace

double turned_tokens(const exec::States& before, const exec::States& after) {
  if (before.tokens != after.tokens || before.width != after.width)
    throw core::Error(fmt::format("block influence: expected states of {} x {}, found {} x {}", before.tokens,
                                  before.width, after.tokens, after.width));
  const auto width = static_cast<std::size_t>(before.width);
  double sum = 0;
  for (std::size_t at = 0; at < before.values.size(); at += width)
    sum += 1 - cosine(std::span(before.values).subspan(at, width), std::span(after.values).subspan(at, width));
  return sum;
}

std::vector<double> block_influence(exec::Executor& executor, std::span<const exec::EncodedExample> prompts) {
  if (prompts.empty()) throw core::Error("block influence: expected at least one prompt, found none");
  constexpr std::size_t kPromptsInStep = 32;
  std::vector<double> influence(static_cast<std::size_t>(executor.pool().manifest().depth));
  double tokens = 0;
  for (std::size_t first = 0; first < prompts.size(); first += kPromptsInStep) {
    const auto batch = prompts.subspan(first, std::min(kPromptsInStep, prompts.size() - first));
    std::vector<exec::States> before = executor.states(batch, {});
    for (const exec::States& each : before) tokens += each.tokens;
    for (std::size_t layer = 0; layer < influence.size(); ++layer) {
      std::vector<exec::States> after = executor.states(batch, core::Program::identity(static_cast<int>(layer) + 1));
      for (std::size_t i = 0; i < after.size(); ++i) influence[layer] += turned_tokens(before[i], after[i]);
      before = std::move(after);
    }
  }
  for (double& each : influence) each /= tokens;
  return influence;
}

core::Program without_least_influential(std::span<const double> influence, int first_layer, int end_layer, int count) {
  const int depth = static_cast<int>(influence.size());
  if (first_layer < 0 || end_layer > depth || count < 1 || count > end_layer - first_layer || count == depth)
    throw core::UsageError(fmt::format("block influence: expected to remove 1 … {} layers, and not all {}, found {}",
                                       end_layer - first_layer, depth, count));
  std::vector<int> order(static_cast<std::size_t>(end_layer - first_layer));
  std::iota(order.begin(), order.end(), first_layer);
  std::ranges::sort(order, [&](int a, int b) {
    const double of_a = influence[static_cast<std::size_t>(a)], of_b = influence[static_cast<std::size_t>(b)];
    return of_a != of_b ? of_a < of_b : a > b;
  });
  order.resize(static_cast<std::size_t>(count));
  std::vector<core::Program::Layer> layers;
  for (int layer = 0; layer < depth; ++layer) {
    if (std::ranges::find(order, layer) == order.end()) layers.push_back(static_cast<core::Program::Layer>(layer));
  }
  return core::Program(std::move(layers));
}

}  // namespace polar::policy
