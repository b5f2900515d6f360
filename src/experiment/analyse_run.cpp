#include "experiment/analyse_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

#include "core/error.h"
#include "experiment/options.h"
#include "experiment/recorded_run.h"
#include "experiment/schema.h"
#include "labels/imported_labels.h"
#include "labels/label_source.h"
#include "search/space.h"

namespace polar::experiment {
namespace {

namespace fs = std::filesystem;

/// The run's space, and what its predictor can emit; nothing without a configuration, as beside a store that was merged
/// or judged again on its own, and nothing of imported labels, whose search was another's.
struct Recorded {
  eval::LabelTable table;
  std::optional<search::SearchSpace> space;
  std::optional<predict::TargetOptions> predictor;
  std::uint64_t seed = 0;
  int resamples = 1000;
};

Recorded read_imported(const fs::path& file, const AnalyseOptions& options) {
  if (!options.compare.empty())
    throw core::UsageError(
        fmt::format("--compare: {}: expected recorded searches, found imported labels; judge them again first (polar "
                    "labels rejudge --out FOLDER/labels.sqlite)",
                    file.string()));
  Recorded recorded;
  recorded.table = eval::read_label_table(labels::ImportedLabels::read(file), options.split, eval::kPaperSegment);
  return recorded;
}

Recorded read_run(const fs::path& run, const labels::LabelStore& store, const AnalyseOptions& options) {
  const bool configured = fs::exists(run / "config.yaml");
  const Config config = configured ? load_config(run / "config.yaml") : Config();
  Recorded recorded;
  recorded.seed = config.seed;
  const int longest = std::max(eval::kPaperSegment, configured ? config.search.max_block : 0);
  recorded.table = eval::read_label_table(store, options.split, longest);
  if (!configured) return recorded;
  recorded.resamples = config.eval.bootstrap;
  recorded.space.emplace(search_plan(config, recorded.table.depth, config.search.rollouts).space);
  recorded.predictor.emplace();
  recorded.predictor->depth = recorded.table.depth;
  recorded.predictor->first_layer = config.search.first_layer;
  recorded.predictor->limits = emitted_limits(config.predict, *recorded.space);
  return recorded;
}

void check_comparable(const labels::LabelStore& store, const labels::LabelStore& other) {
  const auto refuse = [&](const char* what, const std::string& expected, const std::string& found) {
    if (expected == found) return;
    throw core::UsageError(
        fmt::format("--compare: {}: expected the {} of {} ({}), found {}; compare searches of the "
                    "same examples on the same model",
                    other.path().string(), what, store.path().string(), expected.substr(0, 16), found.substr(0, 16)));
  };
  refuse("weights", store.identity().weights_digest, other.identity().weights_digest);
  refuse("task and examples", store.identity().task_digest, other.identity().task_digest);
}

std::string stem_of(const fs::path& run, const AnalyseOptions& options) {
  std::string stem = fs::is_directory(run) ? "labels" : run.stem().string();
  if (options.split) stem += fmt::format("-{}", labels::to_string(*options.split));
  if (options.budget > 0) stem += fmt::format("-budget-{}", options.budget);
  for (std::size_t i = 0; i < options.compare.size(); ++i) {
    stem += i == 0 ? "-vs-" : "-";
    for (const unsigned char c : options.compare[i].first)
      stem += std::isalnum(c) != 0 || c == '.' || c == '_' ? static_cast<char>(c) : '_';
  }
  return stem;
}

std::string title_of(const fs::path& run, const AnalyseOptions& options) {
  std::string title = fmt::format("Labels of {}", run_name(run));
  if (options.split) title += fmt::format(", {} examples", labels::to_string(*options.split));
  if (options.budget > 0) title += fmt::format(": first {} trials of each example", options.budget);
  return title;
}

/// The figures of the searches that are set beside the run's.
std::vector<eval::LabelFigure> compared_figures(const labels::LabelStore& store, const AnalyseOptions& options,
                                                const eval::LabelAnalysisOptions& analysis, int longest_segment) {
  std::set<std::string> names;
  std::vector<eval::LabelFigure> figures;
  for (const auto& [name, folder] : options.compare) {
    if (!names.insert(name).second)
      throw core::UsageError(fmt::format("--compare: expected each name once, found '{}' twice", name));
    const labels::LabelStore other = labels::LabelStore::read(recorded_file(folder, options.split));
    check_comparable(store, other);
    const eval::LabelTable table = eval::read_label_table(other, options.split, longest_segment);
    std::ranges::move(eval::analyse_separate_search(table, name, analysis), std::back_inserter(figures));
  }
  return figures;
}

}  // namespace

RunAnalysis analyse_run(const fs::path& run, const AnalyseOptions& options) {
  const fs::path file = recorded_file(run, options.split);
  std::optional<labels::LabelStore> store;  // none of imported labels
  if (labels::kind_of_file(file) != "imported") store.emplace(labels::LabelStore::read(file));
  const Recorded recorded = store ? read_run(file.parent_path(), *store, options) : read_imported(file, options);
  eval::LabelAnalysisOptions analysis;
  analysis.budget = options.budget;
  analysis.resamples = options.resamples.value_or(recorded.resamples);
  analysis.root_seed = recorded.seed;
  analysis.offered = recorded.space && recorded.space->counted();
  std::vector<eval::LabelFigure> separate;
  if (store) separate = compared_figures(*store, options, analysis, recorded.table.longest_segment);
  if (recorded.space) analysis.space = &*recorded.space;
  analysis.predictor = recorded.predictor;
  RunAnalysis result{eval::analyse_labels(recorded.table, analysis), stem_of(run, options), title_of(run, options)};
  std::ranges::move(separate, std::back_inserter(result.figures));
  return result;
}

}  // namespace polar::experiment
