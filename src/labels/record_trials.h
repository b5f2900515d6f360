#pragma once
// Trials that are known beforehand (no search chooses them), evaluated and recorded so that interrupted work goes on.

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "labels/label_store.h"
#include "search/evaluator.h"

namespace polar::labels {

struct RecordOptions {
  /// At least; whole examples are kept together. ≥ 1. Changes speed, memory and what an interruption loses, never
  /// results.
  int trials_per_batch = 1024;
  std::function<void(std::int64_t trials)> progress = {};  ///< trials since the last call; may be empty
  const std::atomic<bool>* stop = nullptr;                 ///< ends with core::Interrupted between batches; may be null
};

/// Trials of one example, evaluated together.
struct ExampleTrials {
  task::ExampleId example;
  std::vector<search::Trial> trials;
  std::vector<int> rounds;  ///< that each trial is recorded in; ascending, without gaps
  bool done = true;         ///< the example is marked as done when they are recorded
};

/// Evaluates trials in batches of whole examples and, with a store, records them there, a batch in one transaction.
/// What the store has already is compared, as LabelStore::record does. Throws what evaluator and store throw: the
/// batches before are kept then, and nothing of its own. Not thread-safe; evaluator and store must outlive it.
class TrialBatches {
 public:
  using Take = std::function<void(const ExampleTrials&, std::span<const search::Outcome>)>;

  /// `store` may be null. `take` receives each example, in order, once it is recorded; may be empty.
  TrialBatches(search::Evaluator& evaluator, LabelStore* store, RecordOptions options, Take take = {});

  /// The store's examples must be registered. Evaluates when a batch is full.
  void add(ExampleTrials trials);
  /// Evaluates the rest; without it the last batch is lost.
  void finish();

 private:
  void evaluate();
  void record(std::span<const search::Outcome> outcomes);

  search::Evaluator& evaluator_;
  LabelStore* store_;
  RecordOptions options_;
  Take take_;
  std::vector<ExampleTrials> batch_;
  std::size_t trials_ = 0;  ///< in the batch
};

/// The wanted trials that the store's current search lacks, in order, each once. The trials of an example stand
/// together.
std::vector<search::Trial> missing_trials(const LabelStore& store, std::span<const search::Trial> wanted);

/// Evaluates the trials, which the store lacks, by TrialBatches: those of each example are the next round of its
/// search, which is then marked as done. The trials of an example stand together. After an interruption, record what
/// missing_trials() gives then.
void record_trials(LabelStore& store, std::span<const search::Trial> trials, search::Evaluator& evaluator,
                   const RecordOptions& options = {});

}  // namespace polar::labels
