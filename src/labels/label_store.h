#pragma once
// The label store: every trial of a run's searches, in one SQLite file that documents itself (table `about`).

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labels/run_lock.h"
#include "search/evaluator.h"
#include "search/result.h"
#include "search/run_searches.h"
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

struct StoreOptions {
  StoreKind kind = StoreKind::kLabels;
  /// Records under another fingerprint or other settings than the store's as a search of its own, instead of refusing
  /// them. What the store holds stays.
  bool new_search = false;
  /// Receives messages for the user, such as the fall-back to a rollback journal. Empty: they are dropped.
  std::function<void(const std::string&)> message = {};
  /// Name of a SQLite VFS; empty = the system's. "unix-dotfile" is for file systems without POSIX locks.
  std::string vfs = {};
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

/// Counts over the current search. `solved`: at least one program was correct when decoded greedily.
struct LevelCount {
  Split split = Split::kTrain;
  std::string level;
  std::int64_t examples = 0, done = 0, solved = 0, trials = 0, correct_trials = 0;
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

/// One file a run. Writing needs the run directory's lock; any number of processes may read meanwhile. The write-ahead
/// log is used, or a rollback journal (with a message) where the file system cannot share memory. A transaction
/// survives the death of the process at any moment; at a power failure the last ones may be lost, whole.
///
/// A file holds one pool and one task, and one or more *searches settings* (fingerprint, stop rule, root seed, settings
/// text). The *current* ones are those it was opened with, for a reader the newest; state, trials, counts and digests
/// are theirs.
///
/// Doubles come back as they went in, infinities included; −0 comes back as 0, as SQLite stores it, and NaN is refused.
/// Every method throws core::Error naming the file, what was being done, what was found and the remedy: disk full
/// (nothing half-written, earlier rounds kept), damaged or foreign file, missing permission, a lock held by another
/// program. Not thread-safe.
class LabelStore final : public search::RoundRecorder {
 public:
  static constexpr int kSchemaVersion = 1;
  struct State;  ///< defined in labels/ only

  /// Opens for writing, creating what is missing, in these steps:
  ///   1. open the file and choose the journal
  ///   2. create the schema, or check that it is a label store of this version and kind
  ///   3. compare pool and task: another one is refused
  ///   4. compare fingerprint, stop rule, seed and settings: others are refused, or start a search of their own
  ///   (new_search)
  /// `lock` must be held as long as the store is open. Throws UsageError for another stop rule than "verdict" or
  /// "answer" and for another pool, task, fingerprint, seed or settings, naming both values and the remedy.
  static LabelStore open(const RunLock& lock, const std::string& file_name, const StoreIdentity& identity,
                         const SearchSettings& settings, const StoreOptions& options = {});

  /// Opens for reading; recording then throws. Needs no lock, and no write permission when the last writer has closed
  /// the file.
  static LabelStore read(const std::filesystem::path& path);

  ~LabelStore() override;
  LabelStore(LabelStore&&) noexcept;
  LabelStore& operator=(LabelStore&&) noexcept;

  const std::filesystem::path& path() const;
  StoreKind kind() const;
  const StoreIdentity& identity() const;
  const SearchSettings& settings() const;

  /// Registers examples, in one transaction; those known already are left alone. Throws Error for a split or level
  /// other than the recorded one, a split this kind of store does not hold, and an empty id or one with control
  /// characters.
  void add_examples(std::span<const StoredExample> examples);

  /// Records a round of a registered example's search in one transaction. A round recorded already is compared instead:
  /// the same content is left alone (a resumed search replays its rounds), other content is refused. Rounds come in
  /// order, without gaps. Throws Error as well for trials of another example, unequal counts, an empty round and NaN;
  /// nothing is then recorded.
  void record(const task::ExampleId& example, int round, std::span<const search::Trial> trials,
              std::span<const search::Outcome> outcomes) override;

  /// Marks an example's search as complete: it needs no resuming. A search that made no trial counts too.
  void mark_done(const task::ExampleId& example) override;

  /// {0, false} for an example without a search.
  SearchState state(const task::ExampleId& example) const;

  /// All, or those of one split, ordered by id (bytewise).
  std::vector<StoredExample> examples(std::optional<Split> split = std::nullopt) const;

  /// The trials of the example's current search in recorded order; empty when there are none.
  std::vector<StoredTrial> trials(const task::ExampleId& example) const;

  /// The programs that were correct when decoded greedily (temperature 0), most optimal first (search::more_optimal).
  std::vector<search::RecordedTrial> valid_programs(const task::ExampleId& example) const;

  /// Every trial of the example, of any search in this file, whose outcome holds for the current one: same fingerprint
  /// and stop rule, and for a sampled answer the same root seed, which keys the noise.
  std::vector<StoredTrial> reusable_trials(const task::ExampleId& example) const;

  /// By split, then level; levels without a trial included.
  std::vector<LevelCount> level_counts() const;

  LabelDigests digests() const;

  /// Throws Error when this is an oracle store or holds an example tagged test. Whoever trains or selects calls it
  /// first.
  void require_trainable() const;

 private:
  explicit LabelStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace polar::labels
