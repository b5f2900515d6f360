#include "experiment/state.h"

#include <fmt/format.h>

#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "experiment/feature_cache.h"
#include "experiment/options.h"
#include "experiment/recorded_search.h"
#include "policy/read_features.h"

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

}  // namespace

Experiment::State::State(const Config& run_config, const RunOptions& options)
    : RunSearch(run_config),
      new_search(options.new_search),
      feature_reader({"", "", config.predict.features, config.predict.prefix_layers, config.predict.encoder, ""}),
      directory(config, environment(config, model, executor), options.fresh) {
  say(fmt::format("run {}: {} on {}, {}; {}", directory.path().string(), config.task.kind,
                  model.pool->manifest().model_name, pool::to_string(model.pool->dtype()), executor.fingerprint()));
  say(describe(data.dataset));
  say(fmt::format("search: {} over {}{}", config.search.algorithm, space.describe(), preset_note(config, depth())));
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
  labels::StoreOptions options;
  options.kind = kind;
  options.new_search = new_search;
  if (kind == labels::StoreKind::kLabels)
    return store_in(directory.lock(), "labels.sqlite", examples, rollouts, options);
  options.new_search = true;
  drop_foreign("oracle.sqlite", store_identity(executor, data.task, examples));
  return store_in(directory.lock(), "oracle.sqlite", examples, rollouts, options);
}

labels::LabelStore Experiment::State::open_trials(labels::StoreKind kind, const std::string& file_name,
                                                  std::span<const task::Example> examples,
                                                  const std::string& settings) {
  labels::StoreOptions options;
  options.kind = kind;
  options.new_search = true;
  drop_foreign(file_name, store_identity(executor, data.task, examples));
  return trials_in(directory.lock(), file_name, examples, settings, std::move(options));
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

std::vector<exec::EncodedExample> Experiment::State::prompts(const task::TaskSpec& task,
                                                             std::span<const task::Example> examples) const {
  const exec::TaskEncoder encoder(model.pool->manifest(), *model.tokenizer, task);
  std::vector<exec::EncodedExample> encoded;
  encoded.reserve(examples.size());
  for (const task::Example& example : examples) encoded.push_back(encoder.encode_input(example.id, example.question));
  return encoded;
}

predict::Origin Experiment::State::origin() const {
  const PredictConfig& predict = config.predict;
  return {model.pool->manifest().weights_digest,
          data.task.digest(),
          predict.features,
          predict.features == "states" ? predict.prefix_layers : 0,
          predict.encoder,
          feature_reader.encoder_digest(),
          config.exec.cache_semantics};
}

std::vector<predict::TokenFeatures> Experiment::State::features(std::span<const exec::EncodedExample> prompts) {
  return feature_reader.read(executor, prompts);
}

std::vector<predict::TokenFeatures> Experiment::State::kept_features(std::span<const exec::EncodedExample> prompts) {
  return FeatureCache(directory.file("features")).get(features_digest(origin(), executor.fingerprint(), prompts), [&] {
    return features(prompts);
  });
}

}  // namespace polar::experiment
