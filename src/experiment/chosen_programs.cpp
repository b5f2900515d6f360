#include "experiment/chosen_programs.h"

#include <utility>

namespace polar::experiment {

std::vector<search::RecordedTrial> chosen_trials(const labels::LabelStore& store, const task::ExampleId& example,
                                                 const search::SearchSpace& space,
                                                 const search::SearchOptions& options) {
  std::vector<search::RecordedTrial> trials;
  for (labels::StoredTrial& one : store.trials(example)) {
    if (one.trial.sample.temperature != 0) continue;
    trials.push_back({std::move(one.trial.program), std::move(one.outcome), one.round});
  }
  constexpr bool kExhausted = false;  // nothing that is chosen depends on it
  const search::SearchResult result = search::result_of(example, std::move(trials), space, options, kExhausted);
  std::vector<search::RecordedTrial> chosen;
  for (const std::size_t i : result.chosen) chosen.push_back(result.trials[i]);
  return chosen;
}

std::vector<core::Program> chosen_programs(const labels::LabelStore& store, const task::ExampleId& example,
                                           const search::SearchSpace& space, const search::SearchOptions& options) {
  std::vector<core::Program> programs;
  for (search::RecordedTrial& trial : chosen_trials(store, example, space, options))
    programs.push_back(std::move(trial.program));
  return programs;
}

}  // namespace polar::experiment
