#pragma once
// The label analysis of a run's folder, or of a file of labels: reads it and the configuration, runs nothing.

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/label_analysis.h"
#include "labels/label_store.h"

namespace polar::experiment {

struct AnalyseOptions {
  int budget = 0;  ///< replay: the first so many recorded trials of each example; 0 = all
  /// Which examples; nullopt: train and validation. In a folder, the test split is read from oracle.sqlite, the others
  /// from labels.sqlite.
  std::optional<labels::Split> split = std::nullopt;
  /// Separate searches of the same examples on the same model, such as {"skip", "runs/skip-only"}; a column each.
  std::vector<std::pair<std::string, std::filesystem::path>> compare = {};
  std::optional<int> resamples = std::nullopt;  ///< nullopt: eval.bootstrap of the run's configuration, else 1000
};

struct RunAnalysis {
  std::vector<eval::LabelFigure> figures;
  /// Name of the files: "labels", for a file its name less the extension, or with split, budget and compared searches:
  /// "labels-test-budget-32-vs-skip". Of a compared name, characters other than letters, digits, '.' and '_' are
  /// written as '_'.
  std::string stem;
  std::string title;  ///< "Labels of ladder: first 32 trials of each example"
};

/// `run`: a folder or a file, of a label store or of imported labels. Throws core::UsageError when there is no such
/// store, a compared run has another model or other examples, or a name is given twice, and for imported labels with
/// searches to compare or a budget; otherwise as load_config, the stores and eval::analyse_labels do.
RunAnalysis analyse_run(const std::filesystem::path& run, const AnalyseOptions& options);

}  // namespace polar::experiment
