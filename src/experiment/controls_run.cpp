#include "experiment/controls_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "experiment/options.h"
#include "experiment/recorded_search.h"

namespace polar::experiment {
namespace {

RecordedChoice checked(RecordedChoice choice, int budget) {
  if (choice.split == labels::Split::kTest)
    throw core::UsageError("--split: expected train or valid, found test: the oracle's searches have no such control");
  if (budget < 0) throw core::UsageError(fmt::format("--budget: expected at least 0, found {}", budget));
  choice.independent = true;
  return choice;
}

/// Where a hit ends the search, solved examples have few programs: as many samples, or as many chances to be right by
/// luck, would be fewer exactly there.
void refuse_early_end(const RecordedRun& run, int depth) {
  const search::SearchOptions options = search_plan(run.config, depth, run.config.search.rollouts).options;
  if (options.objective != search::Objective::kFirstValid && options.stop_after_valid == 0 &&
      !options.stop_when_rescued)
    return;
  throw core::UsageError(fmt::format(
      "{}: expected a search that uses its whole budget, found one that ends at a hit; search with search.objective "
      "best, shortest or pareto, search.stop_after_valid 0 and another algorithm than drllm",
      run.store.path().string()));
}

std::size_t place_of_identity(const SearchedExample& searched, const core::Program& identity) {
  const auto found = std::ranges::find_if(
      searched.trials, [&](const labels::StoredTrial& row) { return row.trial.program == identity; });
  if (found == searched.trials.end())
    throw core::Error(
        fmt::format("example '{}': expected the identity among its {} trials, found none; search it (polar search) "
                    "before its controls, or raise --budget",
                    searched.example.id, searched.trials.size()));
  return static_cast<std::size_t>(found - searched.trials.begin());
}

std::vector<SearchedExample> searched_examples(const RecordedRun& run, const core::Program& identity, int budget) {
  std::unordered_map<task::ExampleId, task::Example> tasks;
  for (task::Example& example : run.registered()) tasks.emplace(example.id, std::move(example));
  std::vector<SearchedExample> searched;
  for (const labels::StoredExample& example : run.examples) {
    SearchedExample& one =
        searched.emplace_back(SearchedExample{tasks.at(example.id), example.split, run.store.trials(example.id)});
    std::erase_if(one.trials, [](const labels::StoredTrial& row) { return row.trial.sample.temperature != 0; });
    if (budget > 0 && one.trials.size() > static_cast<std::size_t>(budget))
      one.trials.erase(one.trials.begin() + budget, one.trials.end());
    one.identity = place_of_identity(one, identity);
  }
  return searched;
}

std::string description_of(const RecordedRun& run, const RecordedChoice& choice, int budget) {
  std::string text = run.config.name;
  if (choice.split) text += fmt::format(", {} examples", labels::to_string(*choice.split));
  if (choice.examples_per_level > 0) text += fmt::format(", {} of each level", choice.examples_per_level);
  if (budget > 0) text += fmt::format(", {} programs each", budget);
  text += ", each problem once";
  if (has_pilot(run.config.search)) text += ", none of the pilot's";
  return text;
}

}  // namespace

ControlRun::ControlRun(const std::filesystem::path& run, const RecordedChoice& choice, int budget)
    : run_(read_recorded_run(run, checked(choice, budget))),
      description_(description_of(run_, choice, budget)),
      model_(exec::load_model(config().pool, config().exec.dtype, config().exec.kernels, config().exec.device)),
      executor_(model_.pool, model_.tokenizer, exec_options(config())),
      encoder_(model_.pool->manifest(), *model_.tokenizer, run_.data.task) {
  refuse_early_end(run_, depth());
  const std::string& recorded = run_.store.identity().fingerprint;
  if (recorded != executor_.fingerprint())
    throw core::UsageError(fmt::format(
        "{}: fingerprint: expected that of the labels, {}, found {}; run the control where the labels were searched, "
        "with the same exec settings, or search anew here (--new-search)",
        run_.store.path().string(), recorded, executor_.fingerprint()));
  examples_ = searched_examples(run_, core::Program::identity(depth()), budget);
  core::ensure_folder(folder());
  lock_.emplace(folder());
}

labels::LabelStore ControlRun::recorded(const std::string& name, std::span<const search::Trial> wanted) {
  labels::StoreOptions store_options;
  store_options.new_search = true;  // of labels searched anew elsewhere: what was recorded with the others stays
  store_options.message = [](const std::string& message) { std::cerr << message << "\n"; };
  labels::LabelStore store =
      labels::LabelStore::open(*lock_, name + ".sqlite", run_.store.identity(),
                               {"control " + name, "answer", run_.store.settings().root_seed}, store_options);
  std::vector<labels::StoredExample> stored;
  std::vector<task::Example> tasks;
  for (const SearchedExample& one : examples_) {
    stored.push_back({one.example.id, one.split, one.example.level});
    tasks.push_back(one.example);
  }
  store.add_examples(stored);
  record_missing({config(), executor_, run_.data.task, store, tasks, name}, wanted);
  return store;
}

}  // namespace polar::experiment
