#include "labels/merge.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/error.h"
#include "labels/label_store.h"

namespace polar::labels {
namespace {

struct Compared {
  const char* what;
  std::string expected, found;
};

std::string kind_text(const LabelStore& store) {
  return store.kind() == StoreKind::kOracle ? "oracle" : "labels";
}

void refuse_first_difference(const LabelStore& first, const LabelStore& shard, std::span<const Compared> fields,
                             const char* remedy) {
  for (const Compared& field : fields) {
    if (field.expected == field.found) continue;
    throw core::UsageError(fmt::format("{}: {}: {} has '{}', this shard has '{}': {}", shard.path().string(),
                                       field.what, first.path().string(), field.expected, field.found, remedy));
  }
}

void refuse_other_task(const LabelStore& first, const LabelStore& shard) {
  const StoreIdentity &a = first.identity(), &b = shard.identity();
  const Compared fields[] = {{"pool weights", a.weights_digest, b.weights_digest},
                             {"grader", a.grader, b.grader},
                             {"task", a.task_digest, b.task_digest},
                             {"kind of store", kind_text(first), kind_text(shard)}};
  refuse_first_difference(first, shard, fields, "labels of different pools, tasks or graders are never merged");
}

void refuse_other_search(const LabelStore& first, const LabelStore& shard) {
  const Compared fields[] = {
      {"fingerprint", first.identity().fingerprint, shard.identity().fingerprint},
      {"stop rule", first.settings().stop_rule, shard.settings().stop_rule},
      {"root seed", std::to_string(first.settings().root_seed), std::to_string(shard.settings().root_seed)},
      {"search settings", first.settings().text, shard.settings().text}};
  refuse_first_difference(first, shard, fields,
                          "their outcomes are never mixed. --new-search keeps them as searches of their own");
}

/// Step 1.
std::vector<LabelStore> open_shards(std::span<const std::filesystem::path> paths, const std::filesystem::path& out,
                                    bool new_search) {
  const LabelStore first = LabelStore::read(paths.front());
  std::vector<LabelStore> shards;
  for (const std::filesystem::path& path : paths) {
    std::error_code none;
    if (std::filesystem::equivalent(path, out, none)) {
      throw core::UsageError(
          fmt::format("{}: expected a merged store apart from its shards, found one of them", out.string()));
    }
    LabelStore& shard = shards.emplace_back(LabelStore::read(path));
    refuse_other_task(first, shard);
    for (int search = 0; !new_search && search < shard.search_count(); ++search) {
      shard.select_search(search);
      refuse_other_search(first, shard);
    }
  }
  return shards;
}

/// Step 3 for one search of one shard.
class Copy {
 public:
  Copy(const LabelStore& from, LabelStore& to, int trials_per_transaction)
      : from_(from), to_(to), limit_(trials_per_transaction) {}

  std::int64_t run() {
    batch_.emplace(to_);
    const std::vector<StoredExample> examples = from_.registered_examples();
    to_.add_examples(examples);
    for (const StoredExample& example : examples) copy(example.id);
    batch_->commit();
    return trials_;
  }

 private:
  void copy(const task::ExampleId& example) {
    const std::vector<StoredTrial> stored = from_.trials(example);
    for (std::size_t begin = 0, end = 0; begin < stored.size(); begin = end) {
      std::vector<search::Trial> trials;
      std::vector<search::Outcome> outcomes;
      for (; end < stored.size() && stored[end].round == stored[begin].round; ++end) {
        trials.push_back(stored[end].trial);
        outcomes.push_back(stored[end].outcome);
      }
      to_.record(example, stored[begin].round, trials, outcomes);
      count(static_cast<std::int64_t>(trials.size()));
    }
    if (from_.state(example).done) to_.mark_done(example);
  }

  void count(std::int64_t trials) {
    trials_ += trials;
    pending_ += trials;
    if (pending_ < limit_) return;
    batch_->commit();
    batch_.emplace(to_);
    pending_ = 0;
  }

  const LabelStore& from_;
  LabelStore& to_;
  std::int64_t limit_, pending_ = 0, trials_ = 0;
  std::optional<LabelStore::Batch> batch_;
};

}  // namespace

std::vector<MergedShard> merge_stores(const RunLock& lock, const std::string& file_name,
                                      std::span<const std::filesystem::path> paths, const MergeOptions& options) {
  if (paths.empty()) throw core::UsageError("merge: expected at least one shard, found none");
  std::vector<LabelStore> shards = open_shards(paths, lock.folder() / file_name, options.new_search);  // 1
  std::vector<MergedShard> merged;
  for (LabelStore& shard : shards) {
    MergedShard& report = merged.emplace_back(MergedShard{shard.path(), 0, 0});
    for (int search = 0; search < shard.search_count(); ++search) {
      shard.select_search(search);
      LabelStore out = LabelStore::open(lock, file_name, shard.identity(), shard.settings(),
                                        {shard.kind(), options.new_search, options.message, options.vfs});  // 2
      const std::int64_t before = out.trial_count();
      try {
        report.trials += Copy(shard, out, options.trials_per_transaction).run();  // 3
      } catch (const core::Error& error) {
        throw core::Error(fmt::format("{}: while merging it: {}", shard.path().string(), error.what()));
      }
      report.added += out.trial_count() - before;
    }
  }
  return merged;
}

}  // namespace polar::labels
