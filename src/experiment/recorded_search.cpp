#include "experiment/recorded_search.h"

#include "experiment/dataset.h"
#include "experiment/interrupt.h"
#include "experiment/progress.h"
#include "labels/store_first_evaluator.h"
#include "search/executor_evaluator.h"
#include "search/run_searches.h"

namespace polar::experiment {

labels::StoreIdentity store_identity(const exec::Executor& executor, const task::TaskSpec& task,
                                     std::span<const task::Example> examples) {
  const pool::Manifest& manifest = executor.pool().manifest();
  return {manifest.weights_digest, manifest.model_name, data_digest(task, examples), task.name, task.grader,
          executor.fingerprint()};
}

std::vector<search::SearchResult> search_recorded(const RecordedSearch& on, std::span<const task::ExampleId> ids,
                                                  const search::SearchSpace& space,
                                                  const search::SearchOptions& options) {
  exec::TaskEncoder encoder(on.executor.pool().manifest(), on.executor.tokenizer(), on.task);
  search::ExecutorEvaluator executing(on.executor, encoder, on.examples, exec::StopRule::kVerdict);
  labels::StoreFirstEvaluator evaluator(on.store, executing);
  Progress progress(on.label, ids.size() * static_cast<std::size_t>(options.rollouts), "rollouts");
  search::SearchRun run;
  run.root_seed = on.config.seed;
  run.trees_in_step = on.config.search.trees_in_step;
  run.recorder = &on.store;
  run.stop = &interrupt_flag();
  run.progress = shown_on(progress);
  return search::run_searches(ids, space, options, evaluator, run);
}

}  // namespace polar::experiment
