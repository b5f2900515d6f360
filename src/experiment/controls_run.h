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
#include "experiment/dataset.h"
#include "labels/label_store.h"
#include "labels/run_lock.h"

namespace polar::experiment {

struct ControlOptions {
  /// Which searched examples; nullopt: train and validation.
  std::optional<labels::Split> split = std::nullopt;
  int examples_per_level = 0;               ///< the first so many searched ones, train before validation; 0: all
  std::vector<std::string> overrides = {};  ///< "exec.KEY=VALUE" only: anything else decides what the run is
};

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
  /// Steps: 1. read configuration and labels, 2. refuse other data and another model than the labels', 3. load the
  /// model, 4. refuse another fingerprint, 5. read the searched examples, 6. lock RUN/controls.
  /// Throws core::UsageError for a folder that is no run, an override of another key than exec.KEY, and for weights,
  /// data, grader or fingerprint other than the labels' (naming both); core::Error when nothing was searched, when an
  /// example's identity was not tried, and as load_config, make_data, load_model and LabelStore do.
  ControlRun(std::filesystem::path run, const ControlOptions& options);

  const Config& config() const { return config_; }
  const std::vector<SearchedExample>& examples() const { return examples_; }
  const task::TextGrader& grader() const { return encoder_.grader(); }
  int depth() const { return model_.pool->manifest().depth; }
  /// RUN/controls.
  std::filesystem::path folder() const { return run_ / "controls"; }
  /// "ladder", or where not all is judged "ladder, valid examples, the first 20 of each level".
  const std::string& description() const { return description_; }

  /// The store controls/NAME.sqlite with the outcomes of the wanted trials, of which those are executed that it lacks.
  /// The trials of an example stand together. Interrupted or killed, the same call goes on. Throws core::Interrupted,
  /// and as LabelStore and the executor do.
  labels::LabelStore recorded(const std::string& name, std::span<const search::Trial> wanted);

 private:
  std::filesystem::path run_;
  std::string description_;
  Config config_;
  labels::LabelStore labels_;
  RunData data_;
  exec::Model model_;
  exec::Executor executor_;
  exec::TaskEncoder encoder_;
  std::vector<SearchedExample> examples_;
  std::optional<labels::RunLock> lock_;
};

}  // namespace polar::experiment
