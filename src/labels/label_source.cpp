#include "labels/label_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "labels/imported_labels.h"
#include "labels/label_store.h"
#include "labels/schema.h"
#include "labels/sqlite.h"

namespace polar::labels {
namespace {

class SearchedSource final : public LabelSource {
 public:
  explicit SearchedSource(const std::filesystem::path& path) : store_(LabelStore::read(path)) {}

  std::filesystem::path path() const override { return store_.path(); }
  std::string kind() const override { return store_.kind() == StoreKind::kOracle ? "oracle" : "labels"; }
  int searches() const override { return store_.search_count(); }
  void select(int search) override { store_.select_search(search); }
  std::vector<std::pair<std::string, std::string>> identity() const override {
    const StoreIdentity& identity = store_.identity();
    return {{"pool", identity.pool_name},
            {"weights", identity.weights_digest},
            {"task", fmt::format("{} {}", identity.task_name, identity.task_digest)},
            {"grader", identity.grader},
            {"fingerprint", identity.fingerprint},
            {"stop rule", store_.settings().stop_rule},
            {"root seed", std::to_string(store_.settings().root_seed)},
            {"settings", store_.settings().text}};
  }
  std::vector<StoredExample> examples() const override { return store_.examples(); }
  std::vector<SourceTrial> trials(const task::ExampleId& example) const override {
    std::vector<SourceTrial> trials;
    for (StoredTrial& row : store_.trials(example)) {
      trials.push_back(
          {std::move(row.trial), row.outcome.correct, std::pair(row.outcome.answer_log_prob, row.outcome.margin)});
    }
    return trials;
  }
  std::vector<LevelCount> level_counts() const override { return store_.level_counts(); }
  LabelDigests digests() const override { return store_.digests(); }
  std::int64_t trial_count() const override { return store_.trial_count(); }

 private:
  LabelStore store_;
};

class ImportedSourceFile final : public LabelSource {
 public:
  explicit ImportedSourceFile(const std::filesystem::path& path) : labels_(ImportedLabels::read(path)) {}

  std::filesystem::path path() const override { return labels_.path(); }
  std::string kind() const override { return kImportedKind; }
  int searches() const override { return 1; }
  void select(int search) override {
    if (search != 0) throw core::Error(fmt::format("{}: expected search 0, found {}", path().string(), search));
  }
  std::vector<std::pair<std::string, std::string>> identity() const override {
    const ImportedIdentity& identity = labels_.identity();
    const std::string unknown = "not said";
    return {{"pool", identity.pool_name.empty() ? unknown : identity.pool_name},
            {"weights", identity.weights_digest.empty() ? unknown : identity.weights_digest},
            {"layers", std::to_string(identity.depth)}};
  }
  std::vector<StoredExample> examples() const override {
    std::vector<StoredExample> examples;
    for (ImportedExample& row : labels_.examples()) examples.push_back(std::move(row.example));
    std::ranges::sort(examples, {}, &StoredExample::id);
    return examples;
  }
  std::vector<SourceTrial> trials(const task::ExampleId& example) const override {
    std::vector<SourceTrial> trials;
    for (ImportedTrial& row : labels_.trials(example)) {
      trials.push_back({{example, std::move(row.program), {}}, row.correct, std::nullopt});
    }
    return trials;
  }
  std::vector<LevelCount> level_counts() const override { return labels_.level_counts(); }
  LabelDigests digests() const override { return labels_.digests(); }
  std::int64_t trial_count() const override {
    std::int64_t count = 0;
    for (const LevelCount& level : labels_.level_counts()) count += level.trials;
    return count;
  }

 private:
  ImportedLabels labels_;
};

}  // namespace

std::filesystem::path label_file(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) ? path / "labels.sqlite" : path;
}

std::string kind_of_file(const std::filesystem::path& path) {
  std::string magic(16, '\0');
  std::ifstream(path, std::ios::binary).read(magic.data(), static_cast<std::streamsize>(magic.size()));
  if (magic != std::string("SQLite format 3\0", 16)) return {};
  Database database(path, OpenMode::kRead);
  return stored_kind(database);
}

std::uintmax_t bytes_on_disk(const std::filesystem::path& file) {
  std::filesystem::path log = file;
  log += "-wal";
  std::error_code missing;
  const std::uintmax_t log_bytes = std::filesystem::file_size(log, missing);
  return std::filesystem::file_size(file) + (missing ? 0 : log_bytes);
}

std::unique_ptr<LabelSource> LabelSource::open(const std::filesystem::path& path) {
  const std::filesystem::path file = label_file(path);
  if (std::filesystem::exists(file) && kind_of_file(file) == kImportedKind) {
    return std::make_unique<ImportedSourceFile>(file);
  }
  return std::make_unique<SearchedSource>(file);
}

}  // namespace polar::labels
