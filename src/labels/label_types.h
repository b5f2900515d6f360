#pragma once
// Values that a label store takes and gives.

#include <cstdint>
#include <string>
#include <string_view>

#include "search/evaluator.h"
#include "task/example.h"

namespace polar::labels {

enum class Split { kTrain, kValid, kTest };
std::string_view to_string(Split split);  ///< "train", "valid", "test"

/// Test examples are searched for the oracle policy only, into a store of their own: a labels store refuses test
/// examples, an oracle store everything else, so that no training can meet them.
enum class StoreKind { kLabels, kOracle };

/// What the recorded outcomes are a function of, besides program and sample. Together the fields must cover everything:
/// the task digest stands for prompts, references, grader settings, generation length and shared prompt prefix.
struct StoreIdentity {
  std::string weights_digest;
  std::string pool_name;  ///< for messages; not compared
  std::string task_digest;
  std::string task_name;  ///< for messages; not compared
  std::string grader;     ///< TextGrader::name()
  std::string fingerprint;
  friend bool operator==(const StoreIdentity&, const StoreIdentity&) = default;
};

struct SearchSettings {
  std::string text;       ///< every setting that changes which trials are made; equal text, equal search
  std::string stop_rule;  ///< "verdict" or "answer"
  std::uint64_t root_seed = 0;
  std::string digest() const;  ///< of `text`
  friend bool operator==(const SearchSettings&, const SearchSettings&) = default;
};

struct StoredExample {
  task::ExampleId id;  ///< no control characters: ids stand in tab-separated lines
  Split split = Split::kTrain;
  std::string level;
  friend bool operator==(const StoredExample&, const StoredExample&) = default;
};

struct StoredTrial {
  search::Trial trial;
  search::Outcome outcome;
  int round = 0;
  friend bool operator==(const StoredTrial&, const StoredTrial&) = default;
};

struct SearchState {
  int rounds = 0;  ///< recorded whole
  bool done = false;
  friend bool operator==(const SearchState&, const SearchState&) = default;
};

/// Counts over the current search. `solved`: at least one program was correct when decoded greedily. C→C: an example
/// whose identity was right, W→C: one whose identity was wrong and that another program solved (method.md, 4); one
/// whose identity was not run is neither.
struct LevelCount {
  Split split = Split::kTrain;
  std::string level;
  std::int64_t examples = 0, done = 0, solved = 0, trials = 0, correct_trials = 0;
  std::int64_t c_to_c = 0, c_to_c_shorter = 0;  ///< shorter: of these, solved in fewer layers than the identity
  std::int64_t w_to_c = 0, w_to_c_shorter = 0;
  std::int64_t shortest_layers = 0;  ///< sum over the solved ones: layers of the shortest correct program
  friend bool operator==(const LevelCount&, const LevelCount&) = default;
};

/// SHA-256 over a header (weights, task, grader, stop rule, root seed, settings digest, fingerprint) and one line a
/// trial, sorted bytewise: `example ⇥ program ⇥ temperature#index ⇥ 0|1`, for `exact` followed by `⇥ answer_log_prob ⇥
/// margin` as hexadecimal floats. Equal when and only when the same trials had the same outcomes: workers, trees in
/// step, caches, times and row order do not enter.
struct LabelDigests {
  std::string verdicts;
  std::string exact;
  std::int64_t trials = 0;
};

}  // namespace polar::labels
