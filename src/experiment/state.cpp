#include "experiment/state.h"

#include <fmt/format.h>

#include <iostream>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "experiment/options.h"
#include "experiment/recorded_search.h"
#include "experiment/transfer.h"
#include "policy/trained_policy.h"

#ifndef POLAR_GIT_COMMIT
#define POLAR_GIT_COMMIT "unknown"
#endif

namespace polar::experiment {
namespace {

Environment environment(const Config& config, const exec::Model& model, const exec::Executor& executor) {
  return {{"polar", POLAR_VERSION},
          {"git_commit", POLAR_GIT_COMMIT},
          {"fingerprint", executor.fingerprint()},
          {"dtype", pool::choose_dtype(config.exec.dtype, config.exec.device).reason},
          {"pool", model.pool->manifest().model_name},
          {"weights_digest", model.pool->manifest().weights_digest},
          {"seed", std::to_string(config.seed)}};
}

/// What transfer becomes after its pilot: guided where no program served.
search::SearchOptions starting_from(search::SearchOptions options, std::vector<core::Program> programs) {
  if (programs.empty()) options.algorithm = search::Algorithm::kGuided;
  options.first_programs = std::move(programs);
  return options;
}

search::SearchSpace checked_space(const Config& config, int depth) {
  search::SearchSpace space(search_plan(config, depth, config.search.rollouts).space);
  check_budgets(config, space);
  check_baselines(config, depth);
  return space;
}

labels::Split split_of(const RunData& data, std::size_t index, labels::StoreKind kind) {
  if (kind == labels::StoreKind::kOracle) return labels::Split::kTest;
  return index < data.dataset.train.size() ? labels::Split::kTrain : labels::Split::kValid;
}

}  // namespace

Experiment::State::State(const Config& run_config, const RunOptions& options)
    : config(run_config),
      new_search(options.new_search),
      model(exec::load_model(config.pool, config.exec.dtype, config.exec.kernels, config.exec.device, options.null)),
      data(make_data(config)),
      space(checked_space(config, model.pool->manifest().depth)),
      executor(model.pool, model.tokenizer, exec_options(config)),
      directory(config, environment(config, model, executor), options.fresh) {
  say(fmt::format("run {}: {} on {}, {}; {}", directory.path().string(), config.task.kind,
                  model.pool->manifest().model_name, pool::to_string(model.pool->dtype()), executor.fingerprint()));
  say(describe(data.dataset));
  say(fmt::format("search: {} over {}", config.search.algorithm, space.describe()));
}

void Experiment::State::say(const std::string& line) const {
  std::cout << line << std::endl;
}

labels::StoreIdentity Experiment::State::identity(std::span<const task::Example> examples) const {
  return store_identity(executor, data.task, examples);
}

std::vector<task::Example> Experiment::State::labelled_examples() const {
  return experiment::labelled_examples(data.dataset);
}

Stage Experiment::State::search_stage() const {
  constexpr std::string_view kKeys[] = {"seed",
                                        "pool",
                                        "task.",
                                        "exec.",
                                        "search.",
                                        "-search.keep",
                                        "-search.oracle_",
                                        "-task.ood",
                                        "-task.test_per_level"};
  std::map<std::string, std::string> inputs{{"weights", model.pool->manifest().weights_digest},
                                            {"data", data_digest(data.task, labelled_examples())},
                                            {"fingerprint", executor.fingerprint()}};
  if (!config.search.transfer_programs.empty())
    inputs.emplace("transfer_programs", core::sha256_file(config.search.transfer_programs));
  return {"search", settings_of(config, kKeys), std::move(inputs), {"labels.sqlite"}, true};
}

labels::LabelStore Experiment::State::open_store(labels::StoreKind kind, std::span<const task::Example> examples,
                                                 int rollouts) {
  return open_store(kind, kind == labels::StoreKind::kOracle ? "oracle.sqlite" : "labels.sqlite", examples, rollouts);
}

labels::LabelStore Experiment::State::open_store(labels::StoreKind kind, const std::string& file_name,
                                                 std::span<const task::Example> examples, int rollouts) {
  const bool oracle = kind == labels::StoreKind::kOracle;
  labels::StoreOptions options;
  options.kind = kind;
  options.new_search = new_search || oracle;
  if (oracle) drop_foreign(file_name, identity(examples));
  return open_store(file_name, examples, search_text(kind, rollouts), std::move(options));
}

labels::LabelStore Experiment::State::open_trials(labels::StoreKind kind, const std::string& file_name,
                                                  std::span<const task::Example> examples,
                                                  const std::string& settings) {
  labels::StoreOptions options;
  options.kind = kind;
  options.new_search = true;
  drop_foreign(file_name, identity(examples));
  return open_store(file_name, examples, settings, std::move(options));
}

labels::LabelStore Experiment::State::open_store(const std::string& file_name, std::span<const task::Example> examples,
                                                 const std::string& settings, labels::StoreOptions options) {
  options.message = [this](const std::string& message) { say(message); };
  labels::LabelStore store = labels::LabelStore::open(directory.lock(), file_name, identity(examples),
                                                      {settings, "verdict", config.seed}, options);
  std::vector<labels::StoredExample> stored;
  for (std::size_t i = 0; i < examples.size(); ++i)
    stored.push_back({examples[i].id, split_of(data, i, options.kind), examples[i].level});
  store.add_examples(stored);
  return store;
}

/// The oracle's searches and trials without a search can be made again: another pool or task replaces them, where
/// labels would be refused.
void Experiment::State::drop_foreign(const std::string& file_name, const labels::StoreIdentity& wanted) const {
  const auto path = directory.file(file_name);
  if (!std::filesystem::exists(path)) return;
  try {
    const labels::StoreIdentity found = labels::LabelStore::read(path).identity();
    if (found.weights_digest == wanted.weights_digest && found.task_digest == wanted.task_digest &&
        found.grader == wanted.grader)
      return;
  } catch (const core::Error& error) {
    say(fmt::format("{}; its trials are made anew", error.what()));
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + suffix);
}

search::SearchPlan Experiment::State::planned(int rollouts) const {
  search::SearchPlan plan = search_plan(config, depth(), rollouts);
  if (!config.search.transfer_programs.empty())
    plan.options.first_programs = read_programs(config.search.transfer_programs, depth());
  return plan;
}

bool Experiment::State::has_pilot() const {
  return config.search.algorithm == "transfer" && config.search.transfer_programs.empty();
}

std::vector<core::Program> Experiment::State::served(const labels::LabelStore& store) const {
  return programs_that_served(store, slice_levels(data.dataset.train, 0, config.search.transfer_pilot), depth(),
                              config.search.transfer_size);
}

/// Those of the oracle hold what served the pilot; the labels' search has yet to find it.
search::SearchOptions Experiment::State::options_of(labels::StoreKind kind, int rollouts) const {
  search::SearchOptions options = planned(rollouts).options;
  if (!has_pilot() || kind == labels::StoreKind::kLabels) return options;
  return starting_from(std::move(options), served(labels::LabelStore::read(directory.file("labels.sqlite"))));
}

/// What served the pilot of the labels follows from the settings, so these stand for it.
std::string Experiment::State::search_text(labels::StoreKind kind, int rollouts) const {
  std::string text = space.options().text() + "; " + options_of(kind, rollouts).text();
  if (has_pilot())
    text +=
        fmt::format("; pilot={} of single edits, size={}", config.search.transfer_pilot, config.search.transfer_size);
  return text;
}

void Experiment::State::search_into(labels::LabelStore& store, std::span<const task::Example> examples, int rollouts,
                                    const std::string& label) {
  search::SearchOptions options = options_of(store.kind(), rollouts);
  if (has_pilot() && store.kind() == labels::StoreKind::kLabels) {
    const std::vector<task::Example> pilot = slice_levels(data.dataset.train, 0, config.search.transfer_pilot);
    search_some(store, pilot, of_pilot(options, space, config.seed), label + ", pilot");
    options = starting_from(std::move(options), served(store));
  }
  if (has_pilot()) say(fmt::format("{}: {} programs served the pilot", label, options.first_programs.size()));
  search_some(store, examples, options, label);
}

void Experiment::State::search_some(labels::LabelStore& store, std::span<const task::Example> examples,
                                    const search::SearchOptions& options, const std::string& label) {
  std::vector<task::ExampleId> ids;
  for (const task::Example& example : examples) {
    if (!store.state(example.id).done) ids.push_back(example.id);
  }
  search_recorded({config, executor, data.task, store, examples, label}, ids, space, options);
}

std::vector<predict::TokenFeatures> Experiment::State::features(const task::TaskSpec& task,
                                                                std::span<const task::Example> examples) {
  const exec::TaskEncoder encoder(model.pool->manifest(), *model.tokenizer, task);
  std::vector<exec::EncodedExample> encoded;
  std::vector<const exec::EncodedExample*> pointers;
  encoded.reserve(examples.size());
  for (const task::Example& example : examples)
    pointers.push_back(&encoded.emplace_back(encoder.encode_input(example.id, example.question)));
  return policy::read_features(
      executor, pointers, policy::feature_program({"", "", config.predict.features, config.predict.prefix_layers}));
}

}  // namespace polar::experiment
