#include "experiment/train_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.h"
#include "core/file.h"
#include "experiment/chosen_programs.h"
#include "experiment/interrupt.h"
#include "experiment/progress.h"
#include "experiment/recorded_search.h"
#include "experiment/train_baselines.h"
#include "experiment/train_predictor.h"

namespace polar::experiment {
namespace {

using nlohmann::json;
using predict::Matrix;

/// Rows [first, first + count) and the columns given, in their order.
Matrix part(const Matrix& whole, int first, int count, std::span<const int> columns) {
  Matrix result(count, static_cast<int>(columns.size()));
  for (int row = 0; row < count; ++row) {
    for (int col = 0; col < result.cols; ++col)
      result.at(row, col) = whole.at(first + row, columns[static_cast<std::size_t>(col)]);
  }
  return result;
}

Matrix pooled_rows(std::span<const predict::TokenFeatures> features) {
  std::vector<std::vector<double>> rows;
  for (const predict::TokenFeatures& each : features) {
    const std::vector<float> pooled = predict::pooled(each);
    rows.emplace_back(pooled.begin(), pooled.end());
  }
  return Matrix::from_rows(rows);
}

/// What the scorer learns: the mean of outcome and answer probability, which orders the wrong answers too.
Matrix scorer_targets(const Matrix& correct, const Matrix& log_prob) {
  Matrix targets(correct.rows, correct.cols);
  for (std::size_t i = 0; i < targets.values.size(); ++i)
    targets.values[i] = (correct.values[i] + std::exp(log_prob.values[i])) / 2;
  return targets;
}

double column_mean(const Matrix& matrix, int col) {
  double sum = 0;
  for (int row = 0; row < matrix.rows; ++row) sum += matrix.at(row, col);
  return sum / matrix.rows;
}

predict::TuningGrid grid_of(const MenuConfig& config) {
  predict::TuningGrid grid;
  grid.scorers.clear();
  for (double strength : config.ridge) grid.scorers.push_back({predict::scorer_kind(config.scorer), strength, 1});
  grid.lambdas = config.lambda;
  grid.margins = config.margin;
  return grid;
}

json point_json(const predict::MenuPoint& point) {
  return {{"scorer", to_string(point.scorer.kind)},
          {"strength", point.scorer.strength},
          {"lambda", point.rule.lambda},
          {"margin", point.rule.margin},
          {"accuracy", point.accuracy},
          {"depth_ratio", point.mean_depth_ratio},
          {"identity_share", point.identity_share}};
}

}  // namespace

Stage TrainStage::stage(const std::string& labels_digest) const {
  constexpr std::string_view kKeys[] = {"seed",         "pool",  "task.",           "exec.",     "search.",
                                        "predict.",     "menu.", "-search.oracle_", "-task.ood", "-task.test_per_level",
                                        "-predict.beam"};
  return {"train",
          settings_of(state_.config, kKeys),
          {{"labels", labels_digest}, {"fingerprint", state_.executor.fingerprint()}},
          {"predictor/manifest.json", "menu/manifest.json", "selection.json"}};
}

predict::Origin TrainStage::origin() const {
  const PredictConfig& config = state_.config.predict;
  return {state_.model.pool->manifest().weights_digest, state_.data.task.digest(), config.features,
          config.features == "states" ? config.prefix_layers : 0};
}

void TrainStage::load_features() {
  train_features_ = state_.features(state_.data.task, state_.data.dataset.train);
  valid_features_ = state_.features(state_.data.task, state_.data.dataset.valid);
}

StageStatus TrainStage::status() const {
  const auto labels = state_.directory.file("labels.sqlite");
  if (!std::filesystem::exists(labels)) return {false, "there are no labels"};
  const std::string digest = labels::LabelStore::read(labels).digests().exact;
  if (StageStatus baselines = BaselineStage(state_).status(digest); !baselines.up_to_date) return baselines;
  return state_.directory.status(stage(digest));
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
  const Stage own = stage(digest);
  if (state_.directory.status(own).up_to_date) return state_.say("train: up to date");
  state_.directory.begin(own);
  std::filesystem::remove(state_.directory.file("selection.json"));  // it speaks of what is now replaced

  load_features();                  // 1
  const PredictorStage predictor =  // 2
      train_predictor(state_, store, {train_features_, valid_features_}, origin());
  predict::save_predictor(state_.directory.file("predictor"), predictor.trained);
  const std::vector<core::Program> candidates = menu_candidates(store);  // 3
  const Outcomes results = outcomes(store, candidates);                  // 4
  const predict::TrainedMenu menu = train_menu(candidates, results);     // 5
  predict::save_menu(state_.directory.file("menu"), menu);

  json selection = {{"menu", menu.selection}, {"predictor", predictor.selection}};  // 6
  if (json chosen = baselines.selection(); !chosen.is_null()) selection["baselines"] = std::move(chosen);
  core::write_file(state_.directory.file("selection.json"), selection.dump(2));
  std::filesystem::remove(predictor_checkpoint(state_));
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
  for (const task::Example& example : state_.data.dataset.train) {
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

TrainStage::Outcomes TrainStage::outcomes(const labels::LabelStore& store, std::span<const core::Program> programs) {
  const std::vector<task::Example> examples = state_.labelled_examples();
  StoredOrExecuted evaluator(state_.executor, state_.data.task, store, examples);
  const auto columns = static_cast<int>(programs.size());
  Outcomes result{Matrix(static_cast<int>(examples.size()), columns),
                  Matrix(static_cast<int>(examples.size()), columns)};
  Progress progress("menu outcomes", examples.size() * programs.size(), "trials");
  constexpr std::size_t kExamplesInStep = 32;
  for (std::size_t first = 0; first < examples.size(); first += kExamplesInStep) {
    throw_if_interrupted("run the same command again to go on with training");
    const std::size_t last = std::min(examples.size(), first + kExamplesInStep);
    const std::vector<search::Outcome> batch =
        evaluator.evaluate(greedy_trials(std::span(examples).subspan(first, last - first), programs));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto row = static_cast<int>(first + i / programs.size()), col = static_cast<int>(i % programs.size());
      result.correct.at(row, col) = batch[i].correct ? 1 : 0;
      result.log_prob.at(row, col) = batch[i].answer_log_prob;
    }
    progress.add(batch.size());
  }
  return result;
}

predict::TrainedMenu TrainStage::train_menu(std::span<const core::Program> candidates, const Outcomes& results) const {
  const auto train_rows = static_cast<int>(train_features_.size()),
             valid_rows = static_cast<int>(valid_features_.size());
  std::vector<int> all(candidates.size());
  std::iota(all.begin(), all.end(), 0);
  const int size = std::min(state_.config.menu.size, static_cast<int>(candidates.size()));
  const std::vector<int> cover = predict::greedy_cover(part(results.correct, 0, train_rows, all),
                                                       part(results.log_prob, 0, train_rows, all), candidates, size, 0);
  const Matrix train_correct = part(results.correct, 0, train_rows, cover);
  const Matrix train_y = scorer_targets(train_correct, part(results.log_prob, 0, train_rows, cover));
  const Matrix valid_correct = part(results.correct, train_rows, valid_rows, cover);
  const Matrix train_x = pooled_rows(train_features_), valid_x = pooled_rows(valid_features_);

  std::vector<core::Program> menu;
  std::vector<double> ratios;
  for (int index : cover) {
    menu.push_back(candidates[static_cast<std::size_t>(index)]);
    ratios.push_back(menu.back().depth_ratio(state_.depth()));
  }
  constexpr int kIdentity = 0;  // greedy_cover was told to take it first
  const predict::Tuning tuning = predict::tune_on_validation(train_x, train_y, valid_x, valid_correct, ratios,
                                                             kIdentity, grid_of(state_.config.menu));

  // The static policy's ranking: by training accuracy, the cheaper program first among equals.
  std::vector<int> by_accuracy(menu.size());
  std::iota(by_accuracy.begin(), by_accuracy.end(), 0);
  std::ranges::stable_sort(by_accuracy, [&](int a, int b) {
    const double mean_a = column_mean(train_correct, a), mean_b = column_mean(train_correct, b);
    return mean_a != mean_b ? mean_a > mean_b : menu[static_cast<std::size_t>(a)] < menu[static_cast<std::size_t>(b)];
  });
  json ranking = json::array();
  for (int index : by_accuracy) {
    ranking.push_back({{"program", menu[static_cast<std::size_t>(index)].text()},
                       {"train_accuracy", column_mean(train_correct, index)},
                       {"valid_accuracy", column_mean(valid_correct, index)}});
  }
  json points = json::array();
  for (const predict::MenuPoint& point : tuning.points) points.push_back(point_json(point));
  state_.say(fmt::format(
      "train: menu of {} programs; on validation the base answers {:.1f} %, the best static program {:.1f} %, the menu "
      "policy {:.1f} % "
      "({} of strength {}, lambda {}, margin {})",
      menu.size(), 100 * column_mean(valid_correct, kIdentity), 100 * column_mean(valid_correct, by_accuracy.front()),
      100 * tuning.best.accuracy, to_string(tuning.best.scorer.kind), tuning.best.scorer.strength,
      tuning.best.rule.lambda, tuning.best.rule.margin));
  predict::MenuScorer scorer = predict::MenuScorer::fit(train_x, train_y, tuning.best.scorer);
  return {origin(),
          state_.depth(),
          std::move(menu),
          tuning.best.rule,
          std::move(scorer),
          {{"chosen", point_json(tuning.best)},
           {"points", points},
           {"static_ranking", ranking},
           {"candidates", candidates.size()}}};
}

}  // namespace polar::experiment
