#include "experiment/controls_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "experiment/interrupt.h"
#include "experiment/options.h"
#include "experiment/progress.h"
#include "experiment/recorded_run.h"
#include "experiment/schema.h"
#include "labels/record_trials.h"
#include "pool/manifest.h"
#include "search/executor_evaluator.h"

namespace polar::experiment {
namespace {

Config config_of_run(const std::filesystem::path& run, const std::vector<std::string>& overrides) {
  for (const std::string& entry : overrides) {
    if (entry.starts_with("exec.")) continue;
    throw core::UsageError(
        fmt::format("--set: expected a key of exec, such as exec.workers=2, found '{}': every other key is the run's "
                    "own",
                    entry));
  }
  const std::filesystem::path path = run / "config.yaml";
  if (!std::filesystem::exists(path))
    throw core::UsageError(
        fmt::format("{}: expected the configuration of a run, found none; name a run's folder, such as runs/quickstart",
                    path.string()));
  return load_config(path, overrides);
}

void refuse_other(const labels::LabelStore& store, const char* what, const std::string& recorded,
                  const std::string& now, const char* remedy) {
  if (recorded == now) return;
  throw core::UsageError(fmt::format("{}: {}: expected that of the labels, {}, found {}; {}", store.path().string(),
                                     what, recorded, now, remedy));
}

/// 2. The data of the configuration, which must be those of the labels, as must be the model's weights.
RunData checked_data(const Config& config, const labels::LabelStore& store) {
  RunData data = make_data(config);
  const std::vector<task::Example> examples = labelled_examples(data.dataset);
  const labels::StoreIdentity& recorded = store.identity();
  const labels::StoreIdentity now = store_identity(pool::read_manifest(config.pool), data.task, examples, "");
  refuse_other(store, "weights of the pool", recorded.weights_digest, now.weights_digest,
               "put the pool of the search back in its place");
  refuse_other(store, "grader", recorded.grader, now.grader, "search anew");
  refuse_other(store, "task and examples", recorded.task_digest, now.task_digest,
               "put the data of the search back in their place, or search anew");
  return data;
}

/// In the order of the data; those without a greedy trial are left out.
std::vector<SearchedExample> all_searched(const RunData& data, const labels::LabelStore& store,
                                          const std::optional<labels::Split>& split) {
  std::vector<SearchedExample> searched;
  const auto add = [&](const std::vector<task::Example>& examples, labels::Split own) {
    if (split && *split != own) return;
    for (const task::Example& example : examples) {
      std::vector<labels::StoredTrial> trials = store.trials(example.id);
      std::erase_if(trials, [](const labels::StoredTrial& row) { return row.trial.sample.temperature != 0; });
      if (!trials.empty()) searched.push_back({example, own, std::move(trials)});
    }
  };
  add(data.dataset.train, labels::Split::kTrain);
  add(data.dataset.valid, labels::Split::kValid);
  return searched;
}

void keep_first_of_levels(std::vector<SearchedExample>& searched, int count) {
  if (count == 0) return;
  std::map<std::string, int> met;
  std::erase_if(searched, [&](const SearchedExample& one) { return met[one.example.level]++ >= count; });
}

std::size_t place_of_identity(const SearchedExample& searched, const core::Program& identity) {
  const auto found = std::ranges::find_if(
      searched.trials, [&](const labels::StoredTrial& row) { return row.trial.program == identity; });
  if (found == searched.trials.end())
    throw core::Error(
        fmt::format("example '{}': expected the identity among its recorded trials, found none; search it (polar "
                    "search) before its controls",
                    searched.example.id));
  return static_cast<std::size_t>(found - searched.trials.begin());
}

/// 5.
std::vector<SearchedExample> searched_examples(const RunData& data, const labels::LabelStore& store, int depth,
                                               const ControlOptions& options) {
  std::vector<SearchedExample> searched = all_searched(data, store, options.split);
  if (searched.empty())
    throw core::Error(
        fmt::format("{}: expected recorded trials{}, found none; polar search makes them", store.path().string(),
                    options.split ? fmt::format(" of {} examples", labels::to_string(*options.split)) : ""));
  keep_first_of_levels(searched, options.examples_per_level);
  const core::Program identity = core::Program::identity(depth);
  for (SearchedExample& one : searched) one.identity = place_of_identity(one, identity);
  return searched;
}

std::string description_of(const std::filesystem::path& run, const ControlOptions& options) {
  std::string text = run_name(run);
  if (options.split) text += fmt::format(", {} examples", labels::to_string(*options.split));
  if (options.examples_per_level > 0) text += fmt::format(", the first {} of each level", options.examples_per_level);
  return text;
}

}  // namespace

ControlRun::ControlRun(std::filesystem::path run, const ControlOptions& options)
    : run_(std::move(run)),
      description_(description_of(run_, options)),
      config_(config_of_run(run_, options.overrides)),  // 1
      labels_(open_recorded(run_, std::nullopt)),
      data_(checked_data(config_, labels_)),                                                                  // 2
      model_(exec::load_model(config_.pool, config_.exec.dtype, config_.exec.kernels, config_.exec.device)),  // 3
      executor_(model_.pool, model_.tokenizer, exec_options(config_)),
      encoder_(model_.pool->manifest(), *model_.tokenizer, data_.task) {
  refuse_other(labels_, "fingerprint", labels_.identity().fingerprint, executor_.fingerprint(),
               "run the control where the labels were searched, with the same exec settings, or search anew here "
               "(--new-search)");                                   // 4
  examples_ = searched_examples(data_, labels_, depth(), options);  // 5
  core::ensure_folder(folder());
  lock_.emplace(folder());  // 6
}

labels::LabelStore ControlRun::recorded(const std::string& name, std::span<const search::Trial> wanted) {
  labels::StoreOptions store_options;
  store_options.new_search = true;  // of labels searched anew elsewhere: what was recorded with the others stays
  store_options.message = [](const std::string& message) { std::cerr << message << "\n"; };
  labels::LabelStore store = labels::LabelStore::open(*lock_, name + ".sqlite", labels_.identity(),
                                                      {"control " + name, "answer", config_.seed}, store_options);
  std::vector<labels::StoredExample> stored;
  std::vector<task::Example> tasks;
  for (const SearchedExample& one : examples_) {
    stored.push_back({one.example.id, one.split, one.example.level});
    tasks.push_back(one.example);
  }
  store.add_examples(stored);
  const std::vector<search::Trial> missing = labels::missing_trials(store, wanted);
  if (missing.empty()) return store;
  search::ExecutorEvaluator evaluator(executor_, encoder_, tasks, exec::StopRule::kAnswer);
  Progress progress(name, missing.size(), "trials");
  labels::RecordOptions options;
  options.stop = &interrupt_flag();
  options.progress = [&](std::int64_t trials) { progress.add(static_cast<std::uint64_t>(trials)); };
  labels::record_trials(store, missing, evaluator, options);
  return store;
}

}  // namespace polar::experiment
