#pragma once
// Searches and trials on a model that are recorded as they go: what stages, comparisons and controls share.

#include <span>
#include <string>
#include <vector>

#include "exec/executor.h"
#include "experiment/config.h"
#include "labels/label_store.h"
#include "labels/store_first_evaluator.h"
#include "search/executor_evaluator.h"
#include "search/result.h"
#include "search/space.h"
#include "task/task.h"

namespace polar::experiment {

/// The identity of a store of these examples run by this executor: what their outcomes are a function of.
labels::StoreIdentity store_identity(const exec::Executor& executor, const task::TaskSpec& task,
                                     std::span<const task::Example> examples);

/// Every program on every example, greedily: an example's trials together, in the order of the programs.
std::vector<search::Trial> greedy_trials(std::span<const task::Example> examples,
                                         std::span<const core::Program> programs);

/// Outcomes on a model, those that a store of them holds taken from there; nothing is recorded. All must outlive it.
class StoredOrExecuted final : public search::Evaluator {
 public:
  StoredOrExecuted(exec::Executor& executor, const task::TaskSpec& task, const labels::LabelStore& store,
                   std::span<const task::Example> examples, exec::StopRule stop = exec::StopRule::kVerdict)
      : encoder_(executor.pool().manifest(), executor.tokenizer(), task),
        executing_(executor, encoder_, examples, stop),
        stored_(store, executing_) {}
  std::vector<search::Outcome> evaluate(std::span<const search::Trial> trials) override {
    return stored_.evaluate(trials);
  }

 private:
  exec::TaskEncoder encoder_;
  search::ExecutorEvaluator executing_;
  labels::StoreFirstEvaluator stored_;
};

struct RecordedSearch {
  const Config& config;  ///< seed and trees in step (searches)
  exec::Executor& executor;
  const task::TaskSpec& task;
  labels::LabelStore& store;                ///< holds the examples; answers what it knows, receives every round
  std::span<const task::Example> examples;  ///< of the task; prompts that share tokens are computed together
  std::string label;                        ///< of the progress that is shown
};

/// Searches the examples of these ids and returns the results in their order; a search that the store holds already
/// costs reading it. Throws core::Interrupted when asked to stop (experiment/interrupt.h), every finished round kept,
/// and otherwise as search::run_searches does.
std::vector<search::SearchResult> search_recorded(const RecordedSearch& on, std::span<const task::ExampleId> ids,
                                                  const search::SearchSpace& space,
                                                  const search::SearchOptions& options);

/// Records the wanted trials that the store lacks, under its stop rule, those of an example together. `known`, when
/// there, is a store of the same pool, task, fingerprint, stop rule and seed: what it holds is not executed again.
/// Throws core::Interrupted when asked to stop, every finished batch kept, core::Error when `known` is of something
/// else, and as labels::record_trials does.
void record_missing(const RecordedSearch& on, std::span<const search::Trial> wanted,
                    const labels::LabelStore* known = nullptr);

/// An example's recorded outcomes under these programs, in their order. Throws std::out_of_range where one is missing.
std::vector<search::Outcome> recorded_outcomes(const labels::LabelStore& store, const task::ExampleId& example,
                                               std::span<const core::Program> programs);

}  // namespace polar::experiment
