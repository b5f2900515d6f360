#include "experiment/recorded_search.h"

#include <fmt/format.h>

#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "experiment/dataset.h"
#include "experiment/interrupt.h"
#include "experiment/progress.h"
#include "labels/record_trials.h"
#include "search/run_searches.h"

namespace polar::experiment {

labels::StoreIdentity store_identity(const exec::Executor& executor, const task::TaskSpec& task,
                                     std::span<const task::Example> examples) {
  const pool::Manifest& manifest = executor.pool().manifest();
  return {manifest.weights_digest, manifest.model_name, data_digest(task, examples), task.name, task.grader,
          executor.fingerprint()};
}

std::vector<search::Trial> greedy_trials(std::span<const task::Example> examples,
                                         std::span<const core::Program> programs) {
  std::vector<search::Trial> trials;
  trials.reserve(examples.size() * programs.size());
  for (const task::Example& example : examples) {
    for (const core::Program& program : programs) trials.push_back({example.id, program, {}});
  }
  return trials;
}

std::vector<search::SearchResult> search_recorded(const RecordedSearch& on, std::span<const task::ExampleId> ids,
                                                  const search::SearchSpace& space,
                                                  const search::SearchOptions& options) {
  StoredOrExecuted evaluator(on.executor, on.task, on.store, on.examples);
  Progress progress(on.label, ids.size() * static_cast<std::size_t>(options.rollouts), "rollouts");
  search::SearchRun run;
  run.root_seed = on.config.seed;
  run.trees_in_step = on.config.search.trees_in_step;
  run.recorder = &on.store;
  run.stop = &interrupt_flag();
  run.progress = shown_on(progress);
  return search::run_searches(ids, space, options, evaluator, run);
}

namespace {

/// Whether an outcome of one store holds in the other, whatever the two searches.
bool same_outcomes(const labels::LabelStore& a, const labels::LabelStore& b) {
  const auto key = [](const labels::LabelStore& store) {
    const labels::StoreIdentity& identity = store.identity();
    return std::tie(identity.weights_digest, identity.task_digest, identity.grader, identity.fingerprint,
                    store.settings().stop_rule, store.settings().root_seed);
  };
  return key(a) == key(b);
}

}  // namespace

void record_missing(const RecordedSearch& on, std::span<const search::Trial> wanted, const labels::LabelStore* known) {
  const std::vector<search::Trial> missing = labels::missing_trials(on.store, wanted);
  if (missing.empty()) return;
  if (known && !same_outcomes(*known, on.store))
    throw core::Error(
        fmt::format("{}: expected outcomes of the same pool, task, fingerprint, stop rule and seed as in "
                    "{}, found others; search again",
                    known->path().string(), on.store.path().string()));
  const bool verdict = on.store.settings().stop_rule == "verdict";
  StoredOrExecuted own(on.executor, on.task, on.store, on.examples,  // what other settings recorded is taken over
                       verdict ? exec::StopRule::kVerdict : exec::StopRule::kAnswer);
  std::optional<labels::StoreFirstEvaluator> others;
  if (known) others.emplace(*known, own);
  Progress progress(on.label, missing.size(), "trials");
  labels::RecordOptions options;
  options.stop = &interrupt_flag();
  options.progress = [&](std::int64_t trials) { progress.add(static_cast<std::uint64_t>(trials)); };
  labels::record_trials(on.store, missing, others ? static_cast<search::Evaluator&>(*others) : own, options);
}

std::vector<search::Outcome> recorded_outcomes(const labels::LabelStore& store, const task::ExampleId& example,
                                               std::span<const core::Program> programs) {
  std::unordered_map<core::Program, search::Outcome> known;
  for (labels::StoredTrial& row : store.trials(example))
    known.emplace(std::move(row.trial.program), std::move(row.outcome));
  std::vector<search::Outcome> outcomes;
  for (const core::Program& program : programs) outcomes.push_back(known.at(program));
  return outcomes;
}

}  // namespace polar::experiment
