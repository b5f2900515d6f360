#include "experiment/recorded_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "eval/levels.h"
#include "experiment/schema.h"
#include "pool/manifest.h"
#include "task/splits.h"

namespace polar::experiment {
namespace {

namespace fs = std::filesystem;

/// "runs/ladder/" ends with no name.
fs::path named(const fs::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

Config recorded_config(const fs::path& folder, const std::vector<std::string>& overrides) {
  for (const std::string& entry : overrides) {
    if (entry.starts_with("exec.")) continue;
    throw core::UsageError(fmt::format(
        "--set: expected a key of exec, such as exec.workers=2, found '{}': every other key is the run's own", entry));
  }
  const fs::path file = folder / "config.yaml";
  if (!fs::exists(file))
    throw core::UsageError(
        fmt::format("{}: expected the configuration of a run, found none; name a run's folder, such as runs/quickstart",
                    file.string()));
  Config config = load_config(file, overrides);
  config.name = folder.filename().string();
  config.runs_folder = folder.has_parent_path() ? folder.parent_path().string() : ".";
  return config;
}

using Stored = labels::StoredExample;

/// See RecordedChoice::independent.
void keep_independent(std::vector<Stored>& recorded, const RecordedRun& run) {
  std::unordered_set<std::string> piloted;
  for (const task::Example& example : pilot_examples(run.config, run.data.dataset))
    piloted.insert(task::problem_of(example));
  std::unordered_set<task::ExampleId> kept;
  for (const Stored& example : recorded) kept.insert(example.id);
  std::vector<task::Example> tasks = run.registered();
  std::erase_if(tasks, [&](const task::Example& task) {
    return !kept.contains(task.id) || piloted.contains(task::problem_of(task));
  });
  kept.clear();
  for (const task::Example& task : task::distinct_problems(std::move(tasks), run.config.seed)) kept.insert(task.id);
  std::erase_if(recorded, [&](const Stored& example) { return !kept.contains(example.id); });
}

std::vector<Stored> chosen_examples(const RecordedRun& run, const RecordedChoice& choice) {
  const labels::LabelStore& store = run.store;
  std::vector<Stored> recorded = store.registered_examples();
  std::erase_if(recorded, [&](const Stored& example) {
    return (choice.split && example.split != *choice.split) || store.state(example.id).rounds == 0;
  });
  const bool searched = !recorded.empty();
  if (choice.independent) keep_independent(recorded, run);
  std::vector<LevelledId> ids;
  for (const Stored& example : recorded) ids.push_back({example.id, example.level});
  std::vector<Stored> chosen;
  for (const std::size_t place : slice_of_levels(ids, 0, choice.examples_per_level, "control"))
    chosen.push_back(std::move(recorded[place]));
  if (!chosen.empty()) return chosen;
  if (searched)
    throw core::UsageError(
        fmt::format("{}: expected recorded trials of more problems than those of the pilot, found none; let "
                    "polar search go on, or search anew with more examples (task.train_per_level) or a smaller pilot "
                    "(search.transfer_pilot)",
                    store.path().string()));
  throw core::UsageError(fmt::format("{}: expected recorded trials{}, found none; run polar search first",
                                     store.path().string(),
                                     choice.split ? fmt::format(" of {} examples", to_string(*choice.split)) : ""));
}

void check_unchanged(const RecordedRun& run) {
  const std::string& recorded = run.store.identity().weights_digest;
  if (const std::string now = pool::read_manifest(run.config.pool).weights_digest; now != recorded)
    throw core::UsageError(
        fmt::format("{}: expected the model of {}, weights {}, found weights {}; export that model there again",
                    run.config.pool, run.store.path().string(), recorded, now));
  if (data_digest(run.data.task, run.registered()) == run.store.identity().task_digest) return;
  throw core::UsageError(
      fmt::format("{}: expected the prompt and examples of its configuration to be those of the recorded search, found "
                  "others; restore the data files that {} names",
                  run.store.path().string(), (run.folder / "config.yaml").string()));
}

}  // namespace

fs::path recorded_file(const fs::path& run, const std::optional<labels::Split>& split) {
  if (fs::is_regular_file(run)) return run;
  fs::path path = run / (split == labels::Split::kTest ? "oracle.sqlite" : "labels.sqlite");
  if (fs::exists(path)) return path;
  throw core::UsageError(
      fmt::format("{}: expected a run's label store, found none; name a run's folder, such as runs/quickstart, whose "
                  "search has begun",
                  path.string()));
}

std::string run_name(const fs::path& run) {
  return named(run).filename().string();
}

std::vector<task::Example> RecordedRun::registered() const {
  std::unordered_map<task::ExampleId, const task::Example*> by_id;
  for (const auto* split : {&data.dataset.train, &data.dataset.valid, &data.dataset.test})
    for (const task::Example& example : *split) by_id.emplace(example.id, &example);
  std::vector<task::Example> found;
  for (const labels::StoredExample& example : store.registered_examples()) {
    const auto known = by_id.find(example.id);
    if (known == by_id.end())
      throw core::UsageError(
          fmt::format("{}: expected the example '{}' in the data of {}, found none; restore the "
                      "data of the recorded search",
                      store.path().string(), example.id, (folder / "config.yaml").string()));
    found.push_back(*known->second);
  }
  return found;
}

RecordedRun read_recorded_run(const fs::path& folder, const RecordedChoice& choice) {
  const fs::path run_folder = named(folder);
  Config config = recorded_config(run_folder, choice.overrides);
  labels::LabelStore store = labels::LabelStore::read(recorded_file(run_folder, choice.split));
  RunData data = make_data(config);
  RecordedRun run{run_folder, std::move(config), std::move(data), std::move(store), {}};
  check_unchanged(run);
  run.examples = chosen_examples(run, choice);
  eval::levels_of(run.examples, &labels::StoredExample::level);  // refuses a level of that name before anything is run
  return run;
}

}  // namespace polar::experiment
