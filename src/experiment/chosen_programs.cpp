#include "experiment/chosen_programs.h"

#include <utility>

#include "search/result.h"

namespace polar::experiment {

std::vector<core::Program> chosen_programs(const labels::LabelStore& store, const task::ExampleId& example,
                                           const search::SearchSpace& space, const search::SearchOptions& options) {
  std::vector<search::RecordedTrial> trials;
  for (labels::StoredTrial& one : store.trials(example)) {
    if (one.trial.sample.temperature != 0) continue;
    trials.push_back({std::move(one.trial.program), std::move(one.outcome), one.round});
  }
  constexpr bool kExhausted = false;  // nothing that is chosen depends on it
  const search::SearchResult result = search::result_of(example, std::move(trials), space, options, kExhausted);
  std::vector<core::Program> programs;
  for (const std::size_t i : result.chosen) programs.push_back(result.trials[i].program);
  return programs;
}

}  // namespace polar::experiment
