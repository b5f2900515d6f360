#pragma once
// Running imported programs again: do the verdicts of the file hold on this model?

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "labels/imported_labels.h"
#include "search/evaluator.h"
#include "search/run_searches.h"

namespace polar::labels {

/// A program whose verdict the model does not share.
struct Flip {
  task::ExampleId example;
  std::string level;
  core::Program program;
  bool imported = false;
  bool now = false;
  friend bool operator==(const Flip&, const Flip&) = default;
};

struct RejudgeCount {
  std::string level;
  std::int64_t valid = 0, valid_flipped = 0;      ///< programs the file calls valid; of these, wrong now
  std::int64_t invalid = 0, invalid_flipped = 0;  ///< … invalid; right now
  friend bool operator==(const RejudgeCount&, const RejudgeCount&) = default;
};

struct RejudgeOptions {
  int trials_per_batch = 8192;  ///< whole examples are kept together; ≥ 1. Changes speed and memory only
  std::function<void(const Flip&)> on_flip = {};           ///< in order of examples and programs; may be empty
  std::function<void(std::int64_t trials)> progress = {};  ///< trials since the last call; may be empty
  search::RoundRecorder* recorder = nullptr;               ///< receives each example's outcomes as round 0; may be null
  const std::atomic<bool>* stop = nullptr;                 ///< ends with core::Interrupted between batches; may be null
};

/// Evaluates every imported program greedily, and the identity of every example with an initial score, whose verdict is
/// that score's. Returns counts by level, in order of level. Throws what the evaluator and the recorder throw.
std::vector<RejudgeCount> rejudge(const ImportedLabels& labels, search::Evaluator& evaluator,
                                  const RejudgeOptions& options = {});

}  // namespace polar::labels
