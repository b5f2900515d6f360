#include "labels/store_first_evaluator.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::labels {
namespace {

/// Examples whose trials are kept in memory: more than any number of trees in step. Beyond it they are read again.
constexpr std::size_t kExamplesHeld = 4096;

}  // namespace

const StoreFirstEvaluator::Recorded& StoreFirstEvaluator::recorded(const task::ExampleId& example) {
  const auto known = recorded_.find(example);
  if (known != recorded_.end()) return known->second;
  Recorded outcomes;
  for (StoredTrial& row : store_.reusable_trials(example)) {
    outcomes.try_emplace({std::move(row.trial.program), row.trial.sample}, std::move(row.outcome));
  }
  if (recorded_.size() >= kExamplesHeld) recorded_.clear();
  return recorded_.emplace(example, std::move(outcomes)).first->second;
}

std::vector<search::Outcome> StoreFirstEvaluator::evaluate(std::span<const search::Trial> trials) {
  std::vector<search::Outcome> outcomes(trials.size());
  std::vector<search::Trial> missing;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const Recorded& known = recorded(trials[i].example);
    if (const auto found = known.find({trials[i].program, trials[i].sample}); found != known.end()) {
      outcomes[i] = found->second;
    } else {
      missing.push_back(trials[i]);
      places.push_back(i);
    }
  }
  if (!missing.empty()) {
    std::vector<search::Outcome> evaluated = inner_.evaluate(missing);
    if (evaluated.size() != missing.size()) {
      throw core::Error(fmt::format("evaluator: expected {} outcomes, found {}", missing.size(), evaluated.size()));
    }
    for (std::size_t i = 0; i < missing.size(); ++i) outcomes[places[i]] = std::move(evaluated[i]);
  }
  answered_ += static_cast<std::int64_t>(trials.size() - missing.size());
  return outcomes;
}

}  // namespace polar::labels
