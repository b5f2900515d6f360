#pragma once
// One run, from examples to report: search, train, evaluate.

#include <memory>

#include "experiment/config.h"

namespace polar::experiment {

struct RunOptions {
  bool fresh = false;       ///< empty the run's folder first
  bool new_search = false;  ///< labels of another fingerprint stay in the store, and a search of its own begins
};

/// A part of the training and validation examples, so that several machines share a search: every count-th example,
/// from the number-th on. Each part is a run of its own; merging their stores (labels/merge.h) gives the whole search.
struct SearchPart {
  int number = 1, count = 1;  ///< 1 ≤ number ≤ count
};

/// The stages of a run over its directory. Each does only what is missing or out of date, so any of them may be called
/// again:
///   1. search    programs of every train and validation example → labels.sqlite, and their analysis →
///                report/labels.csv, report/labels.md; after an exhaustive search report/outcomes.csv too, every
///                example by every program (search/outcome_matrix.h)
///   2. train     predictor, menu, programs of baselines and learned routers on train, chosen on validation →
///                predictor/, menu/, baselines/, a folder a router, selection.json
///   3. evaluate  every policy on test and out-of-distribution sets → oracle.sqlite, evaluation.jsonl, report/
/// Not thread-safe. Throws core::Error and its kinds; an interrupted stage goes on where it stopped.
class Experiment {
 public:
  /// Loads pool and data and opens the run directory (emptied first when options.fresh). Throws before anything is
  /// written when pool, data or configuration are faulty.
  explicit Experiment(const Config& config, const RunOptions& options = {});
  ~Experiment();

  /// With a part, the search stage stays unfinished: it ends where all examples are searched. Throws core::UsageError
  /// for a part that there is not.
  void search(const SearchPart& part = {});
  /// Throws core::Error when the labels are missing or incomplete.
  void train();
  /// Throws core::Error when predictor, menu or selection.json are missing.
  void evaluate();

  /// Layers of the model.
  int depth() const;

  struct State;  ///< defined in experiment/ only

 private:
  void search_labels(const SearchPart& part);
  void analyse_labels();
  std::unique_ptr<State> state_;
};

}  // namespace polar::experiment
