#pragma once
// Running labelled programs again: do the verdicts of a file, or of a store, hold on this model, run this way?

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "labels/imported_labels.h"
#include "labels/label_store.h"
#include "search/evaluator.h"

namespace polar::labels {

/// A program to run again.
struct JudgedTrial {
  core::Program program;
  std::optional<bool> correct;                  ///< the verdict it was given; nullopt: it is run, and counted nowhere
  std::optional<double> margin = std::nullopt;  ///< recorded with the verdict, where it was
  search::Sample sample = {};
  int round = 0;  ///< that it is recorded in; ascending within an example, from 0, without gaps
};

struct JudgedExample {
  task::ExampleId id;
  std::string level;
  bool done = true;  ///< all its programs are there: it is marked as done where it is recorded
};

/// Labels to judge again.
struct JudgedLabels {
  std::vector<JudgedExample> examples;  ///< in the order in which they are run
  std::function<std::vector<JudgedTrial>(const task::ExampleId&)> trials;
};

/// How the settings text of a store begins whose programs were imported: their order is no search's.
inline constexpr const char* kRejudgedImport = "rejudged: imported labels";

/// Every imported program, greedily, and the identity of every example, which label stores need to be read: its verdict
/// is that of the initial score, and where there is none, it is not counted. `labels` must outlive the result.
JudgedLabels to_judge(const ImportedLabels& labels);
/// What the store's current search recorded of these examples. `store` must outlive the result.
JudgedLabels to_judge(const LabelStore& store, std::span<const StoredExample> examples);

/// A program whose verdict is another now.
struct Flip {
  task::ExampleId example;
  std::string level;
  core::Program program;
  bool before = false;
  bool now = false;
  std::optional<double> margin = std::nullopt;  ///< recorded with the first verdict
  search::Sample sample = {};
  friend bool operator==(const Flip&, const Flip&) = default;
};

struct RejudgeCount {
  std::string level;
  std::int64_t valid = 0, valid_flipped = 0;      ///< programs that were valid; of these, wrong now
  std::int64_t invalid = 0, invalid_flipped = 0;  ///< … invalid; right now
  std::int64_t solved = 0, lost = 0;  ///< examples with a program that was valid, greedily; of these, without one now
  std::int64_t unsolved = 0, gained = 0;  ///< … without one; with one now
  friend bool operator==(const RejudgeCount&, const RejudgeCount&) = default;
  RejudgeCount& operator+=(const RejudgeCount& other);  ///< `level` stays
};

struct RejudgeOptions {
  int trials_per_batch = 8192;                               ///< as in RecordOptions
  std::function<void(const Flip&)> on_flip = {};             ///< in order of examples and programs; may be empty
  std::function<void(const RejudgeCount&)> on_example = {};  ///< one example's counts, in order; may be empty
  std::function<void(std::int64_t trials)> progress = {};    ///< trials since the last call; may be empty
  LabelStore* store = nullptr;                               ///< records each example's rounds; may be null
  const std::atomic<bool>* stop = nullptr;  ///< ends with core::Interrupted between batches; may be null
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
std::int64_t trials_to_judge(const JudgedLabels& labels);

/// Runs every trial again by TrialBatches (labels/record_trials.h), and returns counts by level, in order of level.
std::vector<RejudgeCount> rejudge(const JudgedLabels& labels, search::Evaluator& evaluator,
                                  const RejudgeOptions& options = {});

}  // namespace polar::labels
