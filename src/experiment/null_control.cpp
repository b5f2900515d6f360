#include "experiment/null_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "experiment/recorded_run.h"
#include "experiment/run_search.h"
#include "labels/run_lock.h"

namespace polar::experiment {
namespace {

std::vector<pool::NullLayers> checked_layers(const std::vector<pool::NullLayers>& wanted) {
  if (wanted.empty()) return {pool::NullLayers::kShuffled, pool::NullLayers::kReinitialised};
  for (const pool::NullLayers layers : wanted) {
    if (std::ranges::count(wanted, layers) > 1)
      throw core::UsageError(fmt::format("--layers: expected each once, found {} again", to_string(layers)));
  }
  return wanted;
}

void require_finished(const RecordedRun& run) {
  const auto unfinished = std::ranges::count_if(
      run.examples, [&](const labels::StoredExample& example) { return !run.store.state(example.id).done; });
  if (unfinished == 0) return;
  throw core::Error(
      fmt::format("{}: expected finished searches of {} examples, found {} unfinished; run polar search "
                  "with {} first, or take fewer (--examples)",
                  run.store.path().string(), run.examples.size(), unfinished, (run.folder / "config.yaml").string()));
}

/// The chosen examples with question and answer, in order.
std::vector<task::Example> chosen_tasks(const RecordedRun& run) {
  std::unordered_set<task::ExampleId> chosen;
  for (const labels::StoredExample& example : run.examples) chosen.insert(example.id);
  std::vector<task::Example> tasks = run.registered();
  std::erase_if(tasks, [&](const task::Example& example) { return !chosen.contains(example.id); });
  return tasks;
}

/// A null search must be the run's own search, on the same machine: else their difference says something else.
void require_same_search(const RecordedRun& run, const labels::LabelStore& null) {
  const auto require = [&](const char* what, const std::string& recorded, const std::string& here) {
    if (recorded == here) return;
    throw core::UsageError(
        fmt::format("{}: {}: expected that of a search here, as in {}: {}; found {}; run the control where the labels "
                    "were searched, with the same program and settings, or search anew here (--new-search)",
                    run.store.path().string(), what, null.path().string(), here, recorded));
  };
  const labels::SearchSettings &recorded = run.store.settings(), &here = null.settings();
  require("search settings", recorded.text, here.text);
  require("stop rule", recorded.stop_rule, here.stop_rule);
  require("root seed", std::to_string(recorded.root_seed), std::to_string(here.root_seed));
  require("fingerprint", run.store.identity().fingerprint, null.identity().fingerprint);
}

std::vector<SearchCounts> search_null(const RecordedRun& run, const labels::RunLock& lock,
                                      std::span<const task::Example> examples, pool::NullLayers layers) {
  RunSearch search(run.config, {layers, run.config.seed});
  const int rollouts = run.config.search.rollouts;
  labels::StoreOptions options;
  options.new_search = true;  // on another machine: a search of its own in the same file
  labels::LabelStore store = search.store_in(lock, fmt::format("null-{}.sqlite", to_string(layers)),
                                             search.labelled_examples(), rollouts, options);
  require_same_search(run, store);
  search.search_into(store, examples, rollouts, fmt::format("null model, layers {}", to_string(layers)));
  return search_counts(store, run.examples);
}

/// How many programs an example had: transfer's pilot may have more than the others, a search that ends early fewer.
std::string tried_text(std::span<const SearchCounts> searched) {
  const auto [least, most] = std::ranges::minmax(searched, {}, &SearchCounts::trials);
  return least.trials == most.trials ? fmt::format("{}", most.trials)
                                     : fmt::format("{} to {}", least.trials, most.trials);
}

std::string null_text(const RecordedRun& run, const SearchedModel& model) {
  return fmt::format(
      "The search of this run ({}, {} programs an example) on {} examples: on the model, on the same layers in a "
      "shuffled order, and on layers with weights drawn anew from a normal distribution of each tensor's own mean and "
      "deviation. What it finds in a null model, it finds in noise: chance hits of the grader, and whatever embedding, "
      "output head and norms give away. Each null model is one shuffle, or one draw of weights; the intervals cover "
      "the choice of examples, not which shuffle or draw it is. identity: the unchanged order is right; solved: some "
      "program is; wrong_to_right: solved, of those that the identity gets wrong; valid_programs: right, of all "
      "programs tried. null_excess: the model's share less the null model's, in points, with intervals by bootstrap "
      "over examples.",
      run.config.search.algorithm, tried_text(model.examples), run.examples.size());
}

}  // namespace

std::vector<SearchCounts> search_counts(const labels::LabelStore& store,
                                        std::span<const labels::StoredExample> examples) {
  const core::Program identity = core::Program::identity(store.depth());
  std::vector<SearchCounts> searched;
  for (const labels::StoredExample& example : examples) {
    SearchCounts& made = searched.emplace_back(SearchCounts{.level = example.level});
    for (const labels::StoredTrial& row : store.trials(example.id)) {
      if (row.trial.sample.temperature != 0) continue;
      ++made.trials;
      made.valid += row.outcome.correct ? 1 : 0;
      if (row.trial.program == identity) made.identity = row.outcome.correct;
    }
    made.solved = made.valid > 0;
  }
  return searched;
}

eval::ControlReport null_control(const std::filesystem::path& folder, const NullControlOptions& options) {
  const std::vector<pool::NullLayers> kinds = checked_layers(options.layers);
  const RecordedRun run = read_recorded_run(folder, {std::nullopt, options.examples_per_level});
  require_finished(run);
  std::vector<SearchedModel> models{{"model", search_counts(run.store, run.examples)}};
  const std::vector<task::Example> examples = chosen_tasks(run);
  core::ensure_folder(run.controls());
  const labels::RunLock lock(run.controls());
  for (const pool::NullLayers layers : kinds)
    models.push_back({std::string(to_string(layers)), search_null(run, lock, examples, layers)});
  eval::ControlReport report{"null", "Null models for " + run.config.name, null_text(run, models.front()),
                             null_figures(models, run.config.seed, run.config.eval.bootstrap)};
  eval::write_control(run.controls(), report);
  return report;
}

}  // namespace polar::experiment
