#include "experiment/train_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/seed.h"
#include "experiment/chosen_programs.h"
#include "experiment/dataset.h"
#include "experiment/recorded_search.h"
#include "experiment/selection_file.h"
#include "experiment/train_baselines.h"
#include "experiment/train_cascade.h"
#include "experiment/train_routers.h"
#include "task/splits.h"

namespace polar::experiment {
namespace {

using nlohmann::json;
using predict::Matrix;

Matrix pooled_rows(std::span<const predict::TokenFeatures> features, predict::Pooling pooling) {
  std::vector<std::vector<double>> rows;
  for (const predict::TokenFeatures& each : features) {
    const std::vector<float> pooled = predict::pooled(each, pooling);
    rows.emplace_back(pooled.begin(), pooled.end());
  }
  return Matrix::from_rows(rows);
}

/// A number a problem.
std::vector<int> problems_of(std::span<const task::Example> examples) {
  std::map<std::string, int> numbers;
  std::vector<int> problems;
  for (const task::Example& example : examples) {
    problems.push_back(numbers.try_emplace(task::problem_of(example), static_cast<int>(numbers.size())).first->second);
  }
  return problems;
}

}  // namespace

Stage TrainStage::stage(const std::string& labels_digest) const {
  constexpr std::string_view kKeys[] = {"seed",     "pool",  "task.",           "exec.",     "search.",
                                        "predict.", "menu.", "-search.oracle_", "-task.ood", "-task.test_per_level"};
  std::vector<std::string> outputs = {"predictor/manifest.json", kSelectionFile};
  for (const std::string& menu : menu_names(state_.config.menu)) outputs.push_back(menu + "/manifest.json");
  if (trains_cascade(state_.config.menu)) outputs.push_back(std::string(kCascade) + "/manifest.json");
  std::map<std::string, std::string> inputs{{"labels", labels_digest}, {"fingerprint", state_.executor.fingerprint()}};
  if (const std::string encoder = state_.feature_reader.encoder_digest(); !encoder.empty())
    inputs.emplace("encoder", encoder);
  return {"train", settings_of(state_.config, kKeys), std::move(inputs), std::move(outputs)};
}

void TrainStage::load_examples() {
  const auto part = [&](std::span<const task::Example> all) {
    LearningSet set{share_of_levels(all, state_.config.predict.labelled_share), {}};
    set.features = state_.kept_features(state_.prompts(state_.data.task, set.examples));
    return set;
  };
  train_ = part(state_.data.dataset.train);
  valid_ = part(state_.data.dataset.valid);
}

std::vector<task::Example> TrainStage::labelled() const {
  std::vector<task::Example> all = train_.examples;
  all.insert(all.end(), valid_.examples.begin(), valid_.examples.end());
  return all;
}

/// How many predictors of a level there are is known from the selection alone.
StageStatus TrainStage::own_status(const Stage& own) const {
  if (StageStatus status = state_.directory.status(own); !status.up_to_date) return status;
  try {
    for (const auto& [level, folder] : level_predictors(state_)) {
      if (!std::filesystem::exists(state_.directory.file(folder) / "manifest.json"))
        return {false, folder + "/manifest.json is missing"};
    }
  } catch (const core::Error& error) {
    return {false, error.what()};
  }
  return {true, {}};
}

StageStatus TrainStage::status() const {
  const auto labels = state_.directory.file("labels.sqlite");
  if (!std::filesystem::exists(labels)) return {false, "there are no labels"};
  const std::string digest = labels::LabelStore::read(labels).digests().exact;
  if (StageStatus baselines = BaselineStage(state_).status(digest); !baselines.up_to_date) return baselines;
  if (StageStatus routers = RouterStage(state_).status(digest); !routers.up_to_date) return routers;
  return own_status(stage(digest));
}

void TrainStage::run() {
  if (const StageStatus search = state_.directory.status(state_.search_stage()); !search.up_to_date) {
    throw core::Error(
        fmt::format("{}: expected a finished search with these settings, found none ({}); run polar search with this "
                    "configuration first",
                    state_.directory.path().string(), search.reason));
  }
  const labels::LabelStore store = labels::LabelStore::read(state_.directory.file("labels.sqlite"));
  store.require_trainable();
  BaselineStage baselines(state_);
  const std::string digest = store.digests().exact;
  baselines.run(store, digest);
  RouterStage routers(state_);
  routers.run(store, digest);
  const Stage own = stage(digest);
  if (own_status(own).up_to_date) return state_.say("train: up to date");
  state_.directory.begin(own);
  std::filesystem::remove(state_.directory.file(kSelectionFile));  // it speaks of what is now replaced

  remove_level_predictors(state_);
  load_examples();                                                                  // 1
  json selection = {{kPredictor, train_predictor(state_, store, train_, valid_)}};  // 2
  if (state_.config.predict.per_level)
    selection[kLevelPredictors] = train_level_predictors(state_, store, train_, valid_);
  const std::vector<core::Program> candidates = menu_candidates(store);                      // 3
  const std::vector<MenuTraining> trained = menus(candidates, outcomes(store, candidates));  // 4, 5

  const std::vector<std::string> names = menu_names(state_.config.menu);
  for (std::size_t i = 0; i < names.size(); ++i) selection[names[i]] = trained[i].menu.selection;
  if (trains_cascade(state_.config.menu))
    selection[kCascade] = train_cascade(state_, valid_.examples, trained).selection;
  if (json chosen = baselines.selection(); !chosen.is_null()) selection["baselines"] = std::move(chosen);
  if (json chosen = routers.selection(); !chosen.is_null()) selection["routers"] = std::move(chosen);
  core::write_file(state_.directory.file(kSelectionFile), selection.dump(2));  // 6
  remove_predictor_checkpoints(state_);
  state_.directory.finish(own);
}

/// The identity, then the programs that were most often chosen of training examples that the identity fails, then those
/// most often chosen of any.
std::vector<core::Program> TrainStage::menu_candidates(const labels::LabelStore& store) const {
  struct Count {
    int repaired = 0, chosen = 0;
  };
  const core::Program identity = core::Program::identity(state_.depth());
  const search::SearchOptions searched = state_.search_options();
  std::map<core::Program, Count> counts;
  for (const task::Example& example : train_.examples) {
    const std::vector<search::RecordedTrial> valid = store.valid_programs(example.id);
    const bool right = std::ranges::any_of(valid, [&](const auto& trial) { return trial.program == identity; });
    for (const core::Program& program : chosen_programs(store, example.id, state_.space, searched)) {
      Count& count = counts[program];
      ++count.chosen;
      if (!right) ++count.repaired;
    }
  }
  counts.erase(identity);
  std::vector<std::pair<core::Program, Count>> ranked(counts.begin(), counts.end());
  std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) {
    return std::pair(a.second.repaired, a.second.chosen) > std::pair(b.second.repaired, b.second.chosen);
  });
  std::vector<core::Program> candidates = {identity};
  for (const auto& [program, count] : ranked) {
    if (static_cast<int>(candidates.size()) == state_.config.menu.candidates) break;
    candidates.push_back(program);
  }
  return candidates;
}

TrainStage::Outcomes TrainStage::outcomes(const labels::LabelStore& labels, std::span<const core::Program> programs) {
  const std::vector<task::Example> examples = labelled();
  const std::vector<task::Example> all = state_.labelled_examples();  // one file, whatever part is learnt from
  labels::LabelStore store = state_.open_trials(labels::StoreKind::kLabels, "menu.sqlite", all, "programs of the menu");
  record_missing({state_.config, state_.executor, state_.data.task, store, all, "menu outcomes"},
                 greedy_trials(examples, programs), &labels);
  const int rows = static_cast<int>(examples.size()), columns = static_cast<int>(programs.size());
  Outcomes result{Matrix(rows, columns), Matrix(rows, columns), std::vector<int>(examples.size())};
  for (int row = 0; row < rows; ++row) {
    const auto place = static_cast<std::size_t>(row);
    const std::vector<search::Outcome> recorded = recorded_outcomes(store, examples[place].id, programs);
    for (int column = 0; column < columns; ++column) {
      const search::Outcome& outcome = recorded[static_cast<std::size_t>(column)];
      result.correct.at(row, column) = outcome.correct ? 1 : 0;
      result.log_prob.at(row, column) = outcome.answer_log_prob;
      result.answer_tokens[place] = outcome.answer_tokens;
    }
  }
  return result;
}

std::vector<MenuTraining> TrainStage::menus(std::span<const core::Program> candidates, Outcomes results) const {
  std::vector<predict::TokenFeatures> features = train_.features;
  features.insert(features.end(), valid_.features.begin(), valid_.features.end());
  const MenuData data{candidates,
                      pooled_rows(features, predict::pooling(state_.config.menu.pooling)),
                      std::move(results.correct),
                      std::move(results.log_prob),
                      std::move(results.answer_tokens),
                      problems_of(labelled()),
                      static_cast<int>(train_.examples.size())};
  std::vector<MenuTraining> trained = train_menus(state_.config.menu, data, state_.origin(), state_.depth(),
                                                  core::derive_seed(state_.config.seed, "menu scorer"));
  const std::vector<std::string> names = menu_names(state_.config.menu);
  for (std::size_t i = 0; i < trained.size(); ++i) {
    state_.say(fmt::format("train: {}: {}", names[i], describe_menu(trained[i].menu)));
    predict::save_menu(state_.directory.file(names[i]), trained[i].menu);
  }
  return trained;
}

}  // namespace polar::experiment
