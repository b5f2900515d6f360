#pragma once
// Merging label stores that were searched on different machines.

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "labels/label_types.h"
#include "labels/run_lock.h"

namespace polar::labels {

struct MergeOptions {
  /// Keeps searches of another fingerprint, stop rule, seed or settings as searches of their own, instead of refusing
  /// them. Outcomes of different searches are never mixed.
  bool new_search = false;
  int trials_per_transaction = 20000;  ///< whole rounds are kept together; ≥ 1
  /// Receives messages for the user. Empty: they are dropped.
  std::function<void(const std::string&)> message = {};
  std::string vfs = {};  ///< of the merged store (StoreOptions::vfs)
};

struct MergedShard {
  std::filesystem::path path;
  std::int64_t trials = 0;  ///< that it holds
  std::int64_t added = 0;   ///< of these, those the merged store did not have
};

/// Copies every trial of the shards into `file_name` in the lock's folder, making it when absent:
///   1. open every shard, and refuse those that differ in pool weights, task, grader or kind, naming both values; and
///      those of another fingerprint, stop rule, seed or settings too, unless options.new_search
///   2. open the merged store, which refuses the same differences
///   3. copy shard after shard, example after example, many rounds a transaction
/// A round that is there already must be equal to the last bit, else an Error names shard, example, round and trial. A
/// search is done when it is in any shard. Killed at any moment, the same call goes on and ends with the same digests;
/// the order of the shards changes no digest. Throws UsageError for refusals, Error as LabelStore does.
std::vector<MergedShard> merge_stores(const RunLock& lock, const std::string& file_name,
                                      std::span<const std::filesystem::path> shards, const MergeOptions& options = {});

}  // namespace polar::labels
