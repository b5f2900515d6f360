#pragma once
// polar bench algorithms: runs search algorithms on the same examples and compares them.

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/executor.h"
#include "exec/model.h"
#include "experiment/algorithm_table.h"
#include "experiment/config.h"
#include "experiment/dataset.h"
#include "labels/label_store.h"
#include "search/presets.h"

namespace polar::experiment {

struct AlgorithmBenchOptions {
  std::vector<std::string> algorithms;  ///< search::algorithm_names(), each once
  std::vector<int> rollouts;            ///< budgets; ≥ 1
  bool validation = false;              ///< search validation examples: for tuning, so that the others stay unseen
  int examples_per_level = 0;           ///< 0 = all
  int exhaustive_edits = 1;             ///< most edits of a program of the exhaustive search; ≥ 1
  std::filesystem::path folder;         ///< results, and the store of outcomes
};

/// Every algorithm searches the same training (or validation) examples with the same seed and budget, by the
/// configuration's settings.
/// All trials go to `outcomes.sqlite` in the folder, one search an algorithm: an outcome that any of them recorded is
/// not computed again, and an interrupted comparison goes on where it stopped. Then algorithms.csv and algorithms.md
/// are written there, and the exhaustive search's outcomes.csv: every example by every program.
///
/// The examples are a slice of every level (slice_levels); with the algorithm transfer and no file of programs, those
/// after its pilot, which is searched beforehand (of_pilot) and counts towards no
/// budget. What the others are compared with is the configuration's algorithm, or the first of the list where that does
/// not run.
class AlgorithmBench {
 public:
  /// Throws UsageError for an unknown or repeated algorithm, a budget below 1 and a level without examples to search,
  /// and Error for a level named eval::kAllLevels.
  AlgorithmBench(const Config& config, const AlgorithmBenchOptions& options);

  /// Returns the rows; progress goes to standard error. Throws core::Interrupted when asked to stop.
  std::vector<AlgorithmRow> run();

  /// How run() compared.
  const AlgorithmTableOptions& table_options() const { return table_; }

 private:
  bool has_pilot() const;
  search::SearchPlan plan_of(const std::string& algorithm) const;
  labels::LabelStore open_store(const std::string& text, std::span<const task::Example> all) const;
  std::vector<search::SearchResult> search(const std::string& name, const search::SearchPlan& plan,
                                           std::span<const task::Example> examples, const std::string& text);
  std::vector<core::Program> pilot_programs();

  Config config_;
  AlgorithmBenchOptions options_;
  exec::Model model_;
  RunData data_;
  exec::Executor executor_;
  std::unique_ptr<labels::RunLock> lock_;
  std::vector<task::Example> pilot_, examples_;
  AlgorithmTableOptions table_;
};

}  // namespace polar::experiment
