#pragma once
// A made-up model whose margins behave as those of a residual network: each layer has an effect of its own when it is
// left out or run again, neighbours resemble each other, and edits do not quite add up.

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "core/seed.h"
#include "search/evaluator.h"

namespace polar::test {

class LandscapeEvaluator final : public search::Evaluator {
 public:
  explicit LandscapeEvaluator(int depth) : depth_(depth) {}

  std::vector<search::Outcome> evaluate(std::span<const search::Trial> trials) override {
    std::vector<search::Outcome> outcomes;
    for (const search::Trial& trial : trials) outcomes.push_back(outcome(trial));
    return outcomes;
  }

  search::Outcome outcome(const search::Trial& trial) const {
    std::vector<int> runs(static_cast<std::size_t>(depth_), 0);
    for (const core::Program::Layer layer : trial.program.layers()) ++runs[layer];
    double margin = -1.5 + 1.2 * normal(trial.example, "identity", 0);
    int changed = 0;
    for (int layer = 0; layer < depth_; ++layer) {
      const int extra = runs[static_cast<std::size_t>(layer)] - 1;
      if (extra != 0) ++changed;
      if (extra < 0) margin += -0.8 + 0.8 * smooth(trial.example, "skip", layer);
      if (extra > 0) margin += extra * (-0.5 + 0.7 * smooth(trial.example, "repeat", layer));
    }
    margin += 0.5 * std::sqrt(changed) * normal(trial.example, trial.program.text(), 0);
    search::Outcome found;
    found.correct = margin > 0;
    found.margin = margin;
    found.answer_log_prob = -std::log1p(std::exp(-margin));
    found.layers = trial.program.length();
    found.answer_final = true;
    return found;
  }

 private:
  static double normal(const std::string& example, const std::string& what, int index) {
    const core::CounterRandom draw(core::derive_seed(3, what, example));
    const auto at = static_cast<std::uint64_t>(2 * index);
    return std::sqrt(-2 * std::log(draw.uniform_at(at))) * std::cos(2 * std::numbers::pi * draw.uniform_at(at + 1));
  }

  /// Three neighbours' mean, of variance 1.
  static double smooth(const std::string& example, const std::string& what, int layer) {
    return (normal(example, what, layer) + normal(example, what, layer + 1) + normal(example, what, layer + 2)) /
           std::sqrt(3.0);
  }

  int depth_;
};

}  // namespace polar::test
