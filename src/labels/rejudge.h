#pragma once
// Running imported programs again: do the verdicts of the file hold on this model?

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
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

/// The split of each question of a configuration's data, by task::normalised_question.
using QuestionSplits = std::unordered_map<std::string, Split>;

/// The imported examples for a label store, in order of import: tagged with the split of their question in the data,
/// whatever the file said, or as imported where the data has no such question.
std::vector<StoredExample> tagged_examples(const ImportedLabels& labels, const QuestionSplits& splits);

/// The kind of store that takes the examples: an oracle's when all are of test, a labels store when none is. Throws
/// UsageError for others.
StoreKind store_kind(std::span<const StoredExample> examples);

/// How many trials rejudge() makes.
std::int64_t trials_to_judge(const ImportedLabels& labels);

/// Evaluates every imported program greedily, and the identity of every example, which label stores need to be read:
/// its imported verdict is that of the initial score, and where there is none, it is not counted. Returns counts by
/// level, in order of level. Throws what the evaluator and the recorder throw.
std::vector<RejudgeCount> rejudge(const ImportedLabels& labels, search::Evaluator& evaluator,
                                  const RejudgeOptions& options = {});

}  // namespace polar::labels
