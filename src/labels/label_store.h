#pragma once
// The label store: every trial of a run's searches, in one SQLite file that documents itself (table `about`).

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labels/label_types.h"
#include "labels/run_lock.h"
#include "search/result.h"
#include "search/run_searches.h"
#include "task/example.h"

namespace polar::labels {

class Transaction;

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
  class Batch;
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
              std::span<const search::Outcome> outcomes);

  /// The same of many rounds, in one transaction: all are kept or none. Throws also while a Batch is open.
  void record_step(std::span<const search::FinishedRound> rounds) override;

  /// Marks an example's search as complete: it needs no resuming. A search that made no trial counts too.
  void mark_done(const task::ExampleId& example) override;

  /// The searches of this file, one a row of settings.
  int search_count() const;
  /// Makes a search the current one; 0 is the oldest. Throws Error when there is none of that index.
  void select_search(int index);

  /// {0, false} for an example without a search.
  SearchState state(const task::ExampleId& example) const;

  /// All, or those of one split, ordered by id (bytewise).
  std::vector<StoredExample> examples(std::optional<Split> split = std::nullopt) const;

  /// The same in the order in which they were registered, which is that of the task.
  std::vector<StoredExample> registered_examples() const;

  /// The trials of the example's current search in recorded order; empty when there are none.
  std::vector<StoredTrial> trials(const task::ExampleId& example) const;

  /// The programs that were correct when decoded greedily (temperature 0), most optimal first (search::more_optimal).
  std::vector<search::RecordedTrial> valid_programs(const task::ExampleId& example) const;

  /// Every trial of the example, of any search in this file, whose outcome holds for the current one: same fingerprint
  /// and stop rule, and for a sampled answer the same root seed, which keys the noise.
  std::vector<StoredTrial> reusable_trials(const task::ExampleId& example) const;

  /// By split, then level; levels without a trial included.
  std::vector<LevelCount> level_counts() const;

  /// Trials of every search in this file.
  std::int64_t trial_count() const;

  /// D of the recorded identity: the longest program of the form 0 … n; 0 when none was run.
  int depth() const;

  LabelDigests digests() const;

  /// Throws Error when this is an oracle store or holds an example tagged test. Whoever trains or selects calls it
  /// first.
  void require_trainable() const;

 private:
  explicit LabelStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Many rounds in one transaction. While it lives, what the store records joins it, and is kept once commit() returns;
/// a death before loses the batch whole. A record that throws after it began to write rolls the batch back: later
/// records and commit() then throw Error. One at a time; the store must outlive it.
class LabelStore::Batch {
 public:
  explicit Batch(LabelStore& store);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  void commit();

 private:
  State& state_;
  std::unique_ptr<Transaction> transaction_;
};

}  // namespace polar::labels
