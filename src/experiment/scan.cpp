#include "experiment/scan.h"

#include <fmt/format.h>

#include <iostream>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "eval/levels.h"
#include "exec/model.h"
#include "experiment/dataset.h"
#include "experiment/options.h"
#include "experiment/recorded_search.h"
#include "labels/run_lock.h"
#include "search/outcome_matrix.h"

namespace polar::experiment {
namespace {

/// Trials of one example that are evaluated together: many, as they share prefixes, though a batch bounds how long an
/// interruption waits.
constexpr int kScanRound = 64;

search::SearchOptions scan_search(const search::SearchSpace& space) {
  search::SearchOptions options;
  options.algorithm = search::Algorithm::kExhaustive;
  options.rollouts = static_cast<int>(space.count());
  options.leaves_per_round = kScanRound;
  return options;
}

/// The outcomes of every program: the identity, repeats, then skips, by first layer and length.
std::vector<ScannedProgram> scanned_programs(const search::SearchSpace& space,
                                             const std::vector<search::SearchResult>& results) {
  const search::OutcomeMatrix matrix = search::outcome_matrix(results);
  std::unordered_map<core::Program, std::size_t> column;
  for (std::size_t i = 0; i < matrix.programs.size(); ++i) column.emplace(matrix.programs[i], i);
  std::vector<ScannedProgram> scanned;
  const auto add = [&](const search::EditedProgram& edited) {
    ScannedProgram& one = scanned.emplace_back();
    if (!edited.edits.empty()) one.edit = edited.edits.front();
    one.program = edited.program;
    for (std::size_t example = 0; example < matrix.examples.size(); ++example)
      one.outcomes.push_back(matrix.at(example, column.at(edited.program)));
  };
  add(space.identity());
  const std::vector<search::EditedProgram> edits = space.single_edits();
  for (const bool skips : {false, true}) {
    for (const search::EditedProgram& edited : edits)
      if (edited.edits.front().is_skip() == skips) add(edited);
  }
  return scanned;
}

/// A scan under way: model, data and store.
class Scanning {
 public:
  Scanning(const Config& config, const ScanOptions& options)
      : config_(config),
        options_(options),
        folder_(options.folder.empty() ? std::filesystem::path(config.runs_folder) / (config.name + "-scan")
                                       : options.folder),
        space_(scan_space(pool::read_manifest(config.pool).depth, options.max_block)),
        data_(make_data(config)),
        examples_(slice_levels(options.split == labels::Split::kTrain ? data_.dataset.train : data_.dataset.valid, 0,
                               options.examples_per_level)),
        model_(exec::load_model(config.pool, config.exec.dtype, config.exec.kernels, config.exec.device)),
        executor_(model_.pool, model_.tokenizer, exec_options(config)) {
    eval::levels_of(examples_, &task::Example::level);  // refuses a level of that name before anything is run
    core::ensure_folder(folder_);
    lock_ = std::make_unique<labels::RunLock>(folder_);
  }

  Scan finish() {
    labels::LabelStore store = open_store();
    std::vector<task::ExampleId> ids;
    std::vector<std::string> levels;
    for (const task::Example& example : examples_) {
      ids.push_back(example.id);
      levels.push_back(example.level);
    }
    const std::vector<search::SearchResult> results =
        search_recorded({config_, executor_, data_.task, store, examples_, "scan"}, ids, space_, scan_search(space_));
    Scan scan{folder_, {}, {}};
    scan.rows = scan_rows(scanned_programs(space_, results), levels, config_.seed, config_.eval.bootstrap);
    scan.markdown =
        scan_markdown(scan.rows, fmt::format("Scan of {} on {} {} examples of {}", model_.pool->manifest().model_name,
                                             examples_.size(), to_string(options_.split), config_.name));
    core::write_file(folder_ / "scan.csv", scan_csv(scan.rows));
    core::write_file(folder_ / "scan.md", scan.markdown);
    return scan;
  }

 private:
  /// Of train and validation whole, so that another choice of examples goes on with the same file.
  labels::LabelStore open_store() const {
    const std::vector<task::Example> all = labelled_examples(data_.dataset);
    labels::StoreOptions options;
    options.new_search = true;
    options.message = [](const std::string& message) { std::cerr << message << '\n'; };
    const search::SearchOptions search = scan_search(space_);
    labels::LabelStore store =
        labels::LabelStore::open(*lock_, "scan.sqlite", store_identity(executor_, data_.task, all),
                                 {space_.options().text() + "; " + search.text(), "verdict", config_.seed}, options);
    std::vector<labels::StoredExample> stored;
    for (const task::Example& example : examples_) stored.push_back({example.id, options_.split, example.level});
    store.add_examples(stored);
    return store;
  }

  Config config_;
  ScanOptions options_;
  std::filesystem::path folder_;
  search::SearchSpace space_;
  RunData data_;
  std::vector<task::Example> examples_;
  exec::Model model_;
  exec::Executor executor_;
  std::unique_ptr<labels::RunLock> lock_;
};

}  // namespace

search::SpaceOptions scan_space(int depth, int max_block) {
  if (max_block < 0 || max_block > depth)
    throw core::UsageError(
        fmt::format("--max-block: expected 0 … {}, the layers of the model (0 = that), found {}", depth, max_block));
  search::SpaceOptions space;
  space.depth = depth;
  space.first_layer = 0;
  space.max_block = max_block == 0 ? depth : max_block;
  space.max_extra_runs = 1;
  space.min_depth_ratio = 0;
  space.max_depth_ratio = 2;
  space.max_edits = 1;
  return space;
}

Scan run_scan(const Config& config, const ScanOptions& options) {
  if (options.split == labels::Split::kTest)
    throw core::UsageError("--split: expected train or valid, as a scan chooses programs, found test");
  return Scanning(config, options).finish();
}

}  // namespace polar::experiment
