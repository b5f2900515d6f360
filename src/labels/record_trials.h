#pragma once
// Trials that are known beforehand (no search chooses them), recorded so that interrupted work goes on.

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "labels/label_store.h"
#include "search/evaluator.h"

namespace polar::labels {

struct RecordOptions {
  /// Whole examples are kept together; ≥ 1. Changes speed, memory and what an interruption loses, never results.
  int trials_per_batch = 1024;
  std::function<void(std::int64_t trials)> progress = {};  ///< trials since the last call; may be empty
  const std::atomic<bool>* stop = nullptr;                 ///< ends with core::Interrupted between batches; may be null
};

/// The wanted trials that the store's current search lacks, in order, each once. The trials of an example stand
/// together.
std::vector<search::Trial> missing_trials(const LabelStore& store, std::span<const search::Trial> wanted);

/// Evaluates the trials, which the store lacks, and records those of each example as the next round of its search,
/// which is then marked as done. The trials of an example stand together, and the examples are registered. A batch is
/// one transaction: after an interruption, record what missing_trials() gives then. Throws what the evaluator and the
/// store throw.
void record_trials(LabelStore& store, std::span<const search::Trial> trials, search::Evaluator& evaluator,
                   const RecordOptions& options = {});

}  // namespace polar::labels
