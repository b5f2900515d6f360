#include "experiment/train_menu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "predict/calibration.h"
#include "predict/menu.h"

namespace polar::experiment {
namespace {

using nlohmann::json;
using predict::Matrix;

constexpr int kIdentity = 0;  ///< greedy_cover is told to take it first

/// Rows [first, end) and the columns given, in their order.
Matrix part(const Matrix& whole, int first, int end, std::span<const int> columns) {
  Matrix result(end - first, static_cast<int>(columns.size()));
  for (int row = 0; row < result.rows; ++row) {
    for (int col = 0; col < result.cols; ++col)
      result.at(row, col) = whole.at(first + row, columns[static_cast<std::size_t>(col)]);
  }
  return result;
}

std::vector<int> every(int count) {
  std::vector<int> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Matrix rows_of(const Matrix& whole, int first, int end) {
  return part(whole, first, end, every(whole.cols));
}

/// What the scorer learns: the mean of outcome and answer probability, or the (geometric) mean probability of an
/// answer's token. Both order the wrong answers too.
Matrix scorer_targets(const MenuConfig& config, const MenuData& data) {
  Matrix targets(data.correct.rows, data.correct.cols);
  for (int row = 0; row < targets.rows; ++row) {
    for (int col = 0; col < targets.cols; ++col) {
      const double log_prob = data.log_prob.at(row, col);
      targets.at(row, col) = config.target == "token"
                                 ? std::exp(log_prob / data.answer_tokens[static_cast<std::size_t>(row)])
                                 : (data.correct.at(row, col) + std::exp(log_prob)) / 2;
    }
  }
  return targets;
}

double column_mean(const Matrix& matrix, int first, int end, int col) {
  double sum = 0;
  for (int row = first; row < end; ++row) sum += matrix.at(row, col);
  return sum / (end - first);
}

predict::TuningGrid grid_of(const MenuConfig& config, std::uint64_t seed) {
  predict::TuningGrid grid;
  for (double strength : config.ridge) {
    for (double bandwidth : config.bandwidth)
      grid.scorers.push_back({predict::scorer_kind(config.scorer), strength, bandwidth, seed});
  }
  grid.lambdas = config.lambda;
  grid.margins = config.margin;
  return grid;
}

json point_json(const predict::MenuPoint& point) {
  return {{"scorer", to_string(point.scorer.kind)},
          {"strength", point.scorer.strength},
          {"bandwidth", point.scorer.bandwidth_scale},
          {"lambda", point.rule.lambda},
          {"margin", point.rule.margin},
          {"accuracy", point.accuracy},
          {"depth_ratio", point.mean_depth_ratio},
          {"identity_share", point.identity_share}};
}

json reliability_json(std::span<const double> probabilities, std::span<const double> outcomes) {
  const std::vector<predict::ReliabilityBin> bins = predict::reliability(probabilities, outcomes);
  json rows = json::array();
  for (const predict::ReliabilityBin& bin : bins)
    rows.push_back({{"count", bin.count}, {"probability", bin.probability}, {"outcome", bin.outcome}});
  return {{"error", predict::calibration_error(bins)}, {"bins", rows}};
}

/// The menu's columns of the data, and which rows do what.
struct Menu {
  std::vector<core::Program> programs;
  std::vector<double> depth_ratios;
  Matrix correct, targets;  ///< of all rows
  int train_rows = 0;
  bool left_out = false;  ///< every row is scored without its group; else validation rows are, by training rows
  int first_scored() const { return left_out ? 0 : train_rows; }
  int fitted() const { return left_out ? correct.rows : train_rows; }
};

/// Step 1.
Menu cover(const MenuConfig& config, const MenuData& data, int depth) {
  const int count = static_cast<int>(data.candidates.size());
  const int size = std::min(config.size, count);
  const Matrix log_prob = rows_of(data.log_prob, 0, data.train_rows);
  const std::vector<int> chosen = config.cover == "log-probability"
                                      ? predict::log_prob_cover(log_prob, data.candidates, size, kIdentity)
                                      : predict::greedy_cover(rows_of(data.correct, 0, data.train_rows), log_prob,
                                                              data.candidates, size, kIdentity);
  Menu menu;
  for (int index : chosen) {
    menu.programs.push_back(data.candidates[static_cast<std::size_t>(index)]);
    menu.depth_ratios.push_back(menu.programs.back().depth_ratio(depth));
  }
  menu.correct = part(data.correct, 0, data.correct.rows, chosen);
  menu.targets = part(scorer_targets(config, data), 0, data.correct.rows, chosen);
  menu.train_rows = data.train_rows;
  menu.left_out = config.select == "leave-group-out";
  return menu;
}

/// A scorer's scores of rows that it was not fitted on.
struct Scored {
  std::optional<predict::MenuScorer> scorer;  ///< fitted to menu.fitted() rows; none yet where every row is left out
  Matrix raw;                                 ///< as the scorer gives them
  Matrix scores;                              ///< calibrated, where that is asked for
  std::optional<predict::ScoreCalibration> calibration;
};

predict::MenuScorer fit(const MenuData& data, const Menu& menu, const predict::ScorerOptions& options) {
  return predict::MenuScorer::fit(rows_of(data.features, 0, menu.fitted()), rows_of(menu.targets, 0, menu.fitted()),
                                  options);
}

predict::ScoreCalibration calibrate(const MenuConfig& config, std::span<const double> scores,
                                    std::span<const double> outcomes) {
  return config.calibration == "temperature" ? predict::fit_temperature(scores, outcomes)
                                             : predict::fit_platt(scores, outcomes);
}

/// Steps 2 and 3.
Scored score(const MenuConfig& config, const MenuData& data, const Menu& menu, const Matrix& outcomes,
             const predict::ScorerOptions& options) {
  const int rows = menu.correct.rows;
  Scored scored;
  if (menu.left_out) {
    scored.raw = predict::MenuScorer::leave_groups_out(data.features, menu.targets, data.groups, options);
  } else {
    scored.scorer = fit(data, menu, options);
    scored.raw = scored.scorer->score(rows_of(data.features, menu.train_rows, rows));
  }
  scored.scores = scored.raw;
  if (config.calibration == "none") return scored;
  scored.calibration = calibrate(config, scored.raw.values, outcomes.values);
  for (double& value : scored.scores.values) value = scored.calibration->probability(value);
  return scored;
}

/// Probabilities of rows by calibrations that have not seen their problem: problems are dealt into five parts, and each
/// part is calibrated by the others. nullopt where all rows are of one problem.
std::optional<std::vector<double>> held_out_probabilities(const MenuConfig& config, const Matrix& raw,
                                                          const Matrix& outcomes, std::span<const int> problems) {
  constexpr int kParts = 5;
  std::map<int, int> parts;
  for (const int problem : problems) parts.try_emplace(problem, static_cast<int>(parts.size()) % kParts);
  if (parts.size() < 2) return std::nullopt;
  std::vector<double> probabilities(raw.values.size());
  for (int part = 0; part < kParts; ++part) {
    std::vector<double> scores, rights;
    const auto of_part = [&](int row) { return parts.at(problems[static_cast<std::size_t>(row)]) == part; };
    const auto add = [](std::vector<double>& all, std::span<const double> row) {
      all.insert(all.end(), row.begin(), row.end());
    };
    for (int row = 0; row < raw.rows; ++row) {
      if (of_part(row)) continue;
      add(scores, raw.row(row));
      add(rights, outcomes.row(row));
    }
    const predict::ScoreCalibration calibration = calibrate(config, scores, rights);
    for (int row = 0; row < raw.rows; ++row) {
      for (int col = 0; of_part(row) && col < raw.cols; ++col)
        probabilities[static_cast<std::size_t>(row) * static_cast<std::size_t>(raw.cols) +
                      static_cast<std::size_t>(col)] = calibration.probability(raw.at(row, col));
    }
  }
  return probabilities;
}

/// Of the scores as they are, and of what calibration makes of them.
json reliability_of(const MenuConfig& config, const Scored& scored, const Matrix& outcomes,
                    std::span<const int> problems) {
  std::vector<double> raw;
  for (const double value : scored.raw.values) raw.push_back(std::clamp(value, 0.0, 1.0));
  json measured = {{"before", reliability_json(raw, outcomes.values)}};
  if (!scored.calibration) return measured;
  if (const auto held_out = held_out_probabilities(config, scored.raw, outcomes, problems))
    measured["after"] = reliability_json(*held_out, outcomes.values);
  return measured;
}

/// Programs by accuracy on the rows that the scorer learns from, the cheaper first among equals: the static policy's
/// ranking, which knows as much as the menu's.
json static_ranking(const Menu& menu) {
  std::vector<std::pair<double, int>> ranked;
  for (int i = 0; i < menu.correct.cols; ++i) ranked.emplace_back(column_mean(menu.correct, 0, menu.fitted(), i), i);
  std::ranges::stable_sort(ranked, [&](const auto& a, const auto& b) {
    const auto program = [&](const auto& one) -> const core::Program& {
      return menu.programs[static_cast<std::size_t>(one.second)];
    };
    return a.first != b.first ? a.first > b.first : program(a) < program(b);
  });
  json ranking = json::array();
  for (const auto& [accuracy, index] : ranked) {
    ranking.push_back({{"program", menu.programs[static_cast<std::size_t>(index)].text()},
                       {"accuracy", accuracy},
                       {"train_accuracy", column_mean(menu.correct, 0, menu.train_rows, index)},
                       {"valid_accuracy", column_mean(menu.correct, menu.train_rows, menu.correct.rows, index)}});
  }
  return ranking;
}

}  // namespace

std::string menu_name(double operating_point) {
  return operating_point > 0 ? fmt::format("menu_{}", operating_point) : "menu";
}

std::vector<std::string> menu_names(const MenuConfig& config) {
  std::vector<std::string> names = {menu_name(0)};
  for (double limit : config.operating_points) names.push_back(menu_name(limit));
  return names;
}

std::vector<MenuTraining> train_menus(const MenuConfig& config, const MenuData& data, const predict::Origin& origin,
                                      int depth, std::uint64_t seed) {
  const Menu menu = cover(config, data, depth);
  const Matrix outcomes = rows_of(menu.correct, menu.first_scored(), menu.correct.rows);
  const predict::TuningGrid grid = grid_of(config, seed);
  std::vector<Scored> scored;
  for (const predict::ScorerOptions& options : grid.scorers)
    scored.push_back(score(config, data, menu, outcomes, options));
  const auto scores_of = [&](std::size_t scorer) -> const Matrix& { return scored[scorer].scores; };
  const std::vector<predict::MenuPoint> points = predict::tune(scores_of, outcomes, menu.depth_ratios, kIdentity, grid);
  json tried = json::array();
  for (const predict::MenuPoint& point : points) tried.push_back(point_json(point));

  std::vector<double> limits = {config.depth_limit};
  limits.insert(limits.end(), config.operating_points.begin(), config.operating_points.end());
  std::vector<MenuTraining> menus;
  for (double limit : limits) {
    const auto found = predict::best_within(points, limit > 0 ? std::optional(limit) : std::nullopt);
    const predict::MenuPoint point = found ? *found : predict::shallowest(points);
    const auto scorer = static_cast<std::size_t>(std::ranges::find(grid.scorers, point.scorer) - grid.scorers.begin());
    Scored& own = scored[scorer];
    if (!own.scorer) own.scorer = fit(data, menu, point.scorer);
    json selection = {
        {"chosen", point_json(point)},
        {"selected_by", config.select},
        {"base_accuracy", column_mean(outcomes, 0, outcomes.rows, kIdentity)},
        {"depth_limit", limit > 0 ? json(limit) : json()},
        {"within_limit", found.has_value()},
        {"static_ranking", static_ranking(menu)},
        {"reliability", reliability_of(config, own, outcomes,
                                       std::span(data.groups).subspan(static_cast<std::size_t>(menu.first_scored())))},
        {"candidates", data.candidates.size()}};
    if (menus.empty()) selection["points"] = tried;
    menus.push_back({{origin, depth, menu.programs, point.rule, *own.scorer, std::move(selection), own.calibration,
                      std::nullopt, predict::pooling(config.pooling)},
                     rows_of(own.scores, menu.train_rows - menu.first_scored(), outcomes.rows)});
  }
  return menus;
}

std::string describe_menu(const predict::TrainedMenu& menu) {
  const json& chosen = menu.selection.at("chosen");
  return fmt::format(
      "menu of {} programs; by {} the base answers {:.1f} %, the menu policy {:.1f} % at {:.3f} of the layers ({} of "
      "strength {}, lambda {}, margin {}){}",
      menu.menu.size(), menu.selection.at("selected_by").get<std::string>(),
      100 * menu.selection.at("base_accuracy").get<double>(), 100 * chosen.at("accuracy").get<double>(),
      chosen.at("depth_ratio").get<double>(), chosen.at("scorer").get<std::string>(),
      chosen.at("strength").get<double>(), menu.rule.lambda, menu.rule.margin,
      menu.selection.at("within_limit").get<bool>()
          ? ""
          : fmt::format("; nothing tried runs as few as {} of them", menu.selection.at("depth_limit").get<double>()));
}

}  // namespace polar::experiment
