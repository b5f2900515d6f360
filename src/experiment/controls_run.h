#pragma once
// What the controls of a search share (method.md 2, "What a search result may claim"): the run they judge, its model,
// and stores of their own for what they execute.

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exec/encoding.h"
#include "exec/executor.h"
#include "exec/model.h"
#include "experiment/config.h"
#include "experiment/recorded_run.h"
#include "labels/label_store.h"
#include "labels/run_lock.h"

namespace polar::experiment {

/// One example, and the greedy trials of its current search, in recorded order; at least the identity's.
struct SearchedExample {
  task::Example example;
  labels::Split split = labels::Split::kTrain;
  std::vector<labels::StoredTrial> trials;

  /// Place of the identity among the trials.
  std::size_t identity = 0;
};

/// A run's folder with config.yaml and labels.sqlite, which is only read, and the model it was searched on. What a
/// control executes is recorded in RUN/controls, under the `answer` rule: answers are whole, and do not depend on what
/// the reference is. One control at a time works there. Not thread-safe.
class ControlRun {
 public:
  /// One example of every problem and none with a problem of transfer's pilot (RecordedChoice::independent); of each
  /// its first `budget` greedy trials; 0: all. Throws core::UsageError for the test split, a negative budget, a search
  /// that ends at a hit (the number of its programs depends on their verdicts) and a fingerprint other than the
  /// labels'; core::Error when an example's identity is not among the trials, and as read_recorded_run, load_model and
  /// RunLock do. Locks RUN/controls.
  ControlRun(const std::filesystem::path& run, const RecordedChoice& choice, int budget = 0);

  const Config& config() const { return run_.config; }
  const std::vector<SearchedExample>& examples() const { return examples_; }
  const task::TextGrader& grader() const { return encoder_.grader(); }
  int depth() const { return model_.pool->manifest().depth; }
  /// RUN/controls.
  std::filesystem::path folder() const { return run_.controls(); }
  /// "ladder, each problem once", or where less is asked for "ladder, valid examples, 20 of each level, 16 programs
  /// each, each problem once, none of the pilot's".
  const std::string& description() const { return description_; }

  /// The store controls/NAME.sqlite with the outcomes of the wanted trials, of which those are executed that it lacks.
  /// The trials of an example stand together. Interrupted or killed, the same call goes on. Throws core::Interrupted,
  /// and as LabelStore and the executor do.
  labels::LabelStore recorded(const std::string& name, std::span<const search::Trial> wanted);

 private:
  RecordedRun run_;
  std::string description_;
  exec::Model model_;
  exec::Executor executor_;
  exec::TaskEncoder encoder_;
  std::vector<SearchedExample> examples_;
  std::optional<labels::RunLock> lock_;
};

}  // namespace polar::experiment
