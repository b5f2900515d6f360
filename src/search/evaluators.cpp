#include "search/evaluators.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

namespace polar::search {

std::vector<Outcome> evaluate_checked(Evaluator& evaluator, std::span<const Trial> trials) {
  std::vector<Outcome> outcomes = evaluator.evaluate(trials);
  if (outcomes.size() != trials.size()) {
    throw core::Error(
        fmt::format("evaluator: expected one outcome for each of {} trials, found {}", trials.size(), outcomes.size()));
  }
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const Outcome& found = outcomes[i];
    if (!std::isnan(found.answer_log_prob) && !std::isnan(found.margin) && found.answer_tokens >= 1) continue;
    throw core::Error(fmt::format(
        "evaluator: example {}, program {}: expected numbers over at least one scored position, found answer_log_prob "
        "{}, margin {}, answer_tokens {}; check the model's weights and the execution dtype",
        trials[i].example, trials[i].program.text(), found.answer_log_prob, found.margin, found.answer_tokens));
  }
  return outcomes;
}

std::size_t TrialHash::operator()(const Trial& trial) const noexcept {
  const auto mix = [](std::size_t seed, std::size_t value) {
    return seed ^ (value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2));
  };
  std::size_t hash = std::hash<task::ExampleId>()(trial.example);
  hash = mix(hash, std::hash<core::Program>()(trial.program));
  hash = mix(hash, std::hash<double>()(trial.sample.temperature));
  return mix(hash, std::hash<int>()(trial.sample.index));
}

std::vector<Outcome> CachingEvaluator::evaluate(std::span<const Trial> trials) {
  std::vector<Trial> missing;
  std::unordered_set<Trial, TrialHash> asked;
  for (const Trial& trial : trials) {
    if (!outcomes_.contains(trial) && asked.insert(trial).second) missing.push_back(trial);
  }
  if (!missing.empty()) {
    std::vector<Outcome> found = evaluate_checked(inner_, missing);
    for (std::size_t i = 0; i < missing.size(); ++i) outcomes_.emplace(std::move(missing[i]), std::move(found[i]));
  }
  std::vector<Outcome> result;
  result.reserve(trials.size());
  for (const Trial& trial : trials) result.push_back(outcomes_.at(trial));
  return result;
}

std::vector<Outcome> CountingEvaluator::evaluate(std::span<const Trial> trials) {
  std::vector<Outcome> outcomes = inner_.evaluate(trials);
  ++batches_;
  trials_ += trials.size();
  for (const Trial& trial : trials) {
    layer_executions_ += static_cast<std::size_t>(trial.program.length());
    seen_.insert(trial);
  }
  return outcomes;
}

std::vector<Outcome> BudgetEvaluator::evaluate(std::span<const Trial> trials) {
  if (trials.size() > left()) {
    throw BudgetExceeded(
        fmt::format("evaluation budget: a batch of {} trials goes beyond the {} left of {}; raise the budget",
                    trials.size(), left(), budget_trials_));
  }
  std::vector<Outcome> outcomes = inner_.evaluate(trials);
  used_ += trials.size();
  return outcomes;
}

}  // namespace polar::search
