#include "labels/record_trials.h"

#include <set>
#include <utility>

#include "core/error.h"
#include "search/evaluators.h"

namespace polar::labels {
namespace {

/// Where the first example's trials end.
std::size_t first_example_end(std::span<const search::Trial> trials) {
  std::size_t end = 1;
  while (end < trials.size() && trials[end].example == trials.front().example) ++end;
  return end;
}

/// Whole examples, until there are `least` trials.
std::size_t batch_end(std::span<const search::Trial> trials, std::size_t least) {
  std::size_t end = 0;
  while (end < trials.size() && (end == 0 || end < least)) end += first_example_end(trials.subspan(end));
  return end;
}

void record_batch(LabelStore& store, std::span<const search::Trial> trials, std::span<const search::Outcome> outcomes) {
  LabelStore::Batch batch(store);
  while (!trials.empty()) {
    const std::size_t own = first_example_end(trials);
    const task::ExampleId& example = trials.front().example;
    store.record(example, store.state(example).rounds, trials.first(own), outcomes.first(own));
    store.mark_done(example);
    trials = trials.subspan(own);
    outcomes = outcomes.subspan(own);
  }
  batch.commit();
}

}  // namespace

std::vector<search::Trial> missing_trials(const LabelStore& store, std::span<const search::Trial> wanted) {
  std::vector<search::Trial> missing;
  while (!wanted.empty()) {
    const std::size_t own = first_example_end(wanted);
    std::set<std::pair<core::Program, search::Sample>> known;
    for (StoredTrial& row : store.trials(wanted.front().example)) {
      known.emplace(std::move(row.trial.program), row.trial.sample);
    }
    for (const search::Trial& trial : wanted.first(own)) {
      if (known.emplace(trial.program, trial.sample).second) missing.push_back(trial);
    }
    wanted = wanted.subspan(own);
  }
  return missing;
}

void record_trials(LabelStore& store, std::span<const search::Trial> trials, search::Evaluator& evaluator,
                   const RecordOptions& options) {
  while (!trials.empty()) {
    if (options.stop != nullptr && options.stop->load()) {
      throw core::Interrupted(
          "interrupted: every trial that was recorded is kept, and the same command goes on from there");
    }
    const auto batch = trials.first(batch_end(trials, static_cast<std::size_t>(options.trials_per_batch)));
    record_batch(store, batch, search::evaluate_checked(evaluator, batch));
    if (options.progress) options.progress(static_cast<std::int64_t>(batch.size()));
    trials = trials.subspan(batch.size());
  }
}

}  // namespace polar::labels
