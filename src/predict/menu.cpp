#include "predict/menu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace polar::predict {
namespace {

void check_same(const char* what, int rows, int cols, const Matrix& matrix) {
  if (matrix.rows != rows || matrix.cols != cols) {
    throw core::Error(
        fmt::format("menu: {}: expected {} x {}, found {} x {}", what, rows, cols, matrix.rows, matrix.cols));
  }
}

/// What adding a program brings.
struct Gain {
  int solved = 0;
  double log_prob = 0;
};

Gain gain_of(int program, const Matrix& correct, const Matrix& log_prob, const std::vector<bool>& solved) {
  Gain gain;
  for (int example = 0; example < correct.rows; ++example) {
    if (solved[example]) continue;
    if (correct.at(example, program) > 0.5) ++gain.solved;
    gain.log_prob += log_prob.at(example, program);
  }
  return gain;
}

bool better(const Gain& a, const core::Program& program_a, const Gain& b, const core::Program& program_b) {
  if (a.solved != b.solved) return a.solved > b.solved;
  if (a.log_prob != b.log_prob) return a.log_prob > b.log_prob;
  return program_a < program_b;
}

/// Of the programs not taken, the one that brings most.
std::pair<int, Gain> best_left(const Matrix& correct, const Matrix& log_prob, std::span<const core::Program> programs,
                               const std::vector<bool>& solved, const std::vector<bool>& taken) {
  int best = -1;
  Gain best_gain;
  for (int program = 0; program < correct.cols; ++program) {
    if (taken[program]) continue;
    const Gain gain = gain_of(program, correct, log_prob, solved);
    if (best < 0 || better(gain, programs[program], best_gain, programs[best])) {
      best = program;
      best_gain = gain;
    }
  }
  return {best, best_gain};
}

void mark_solved(std::vector<bool>& solved, const Matrix& correct, int program) {
  for (int example = 0; example < correct.rows; ++example) {
    if (correct.at(example, program) > 0.5) solved[example] = true;
  }
}

void check_cover(int count, int size, std::optional<int> first) {
  if (size >= 1 && size <= count && (!first || (*first >= 0 && *first < count))) return;
  throw core::UsageError(fmt::format("menu: expected 1 <= size <= {} and 0 <= first < {}, found size {}, first {}",
                                     count, count, size, first.value_or(0)));
}

MenuPoint measure(const Matrix& scores, const Matrix& correct, std::span<const double> depth_ratios,
                  const ScorerOptions& scorer, const ChoiceRule& rule) {
  MenuPoint point{scorer, rule, 0, 0, 0};
  for (int example = 0; example < scores.rows; ++example) {
    const int chosen = choose(scores.row(example), depth_ratios, rule);
    point.accuracy += correct.at(example, chosen);
    point.mean_depth_ratio += depth_ratios[chosen];
    point.identity_share += chosen == rule.identity ? 1 : 0;
  }
  point.accuracy /= scores.rows;
  point.mean_depth_ratio /= scores.rows;
  point.identity_share /= scores.rows;
  return point;
}

}  // namespace

std::vector<int> greedy_cover(const Matrix& correct, const Matrix& log_prob, std::span<const core::Program> programs,
                              int size, std::optional<int> first) {
  const int count = static_cast<int>(programs.size());
  check_same("outcomes", correct.rows, count, correct);
  check_same("log-probabilities", correct.rows, count, log_prob);
  check_cover(count, size, first);
  std::vector<bool> solved(correct.rows, false), taken(count, false);
  std::vector<int> menu;
  if (first) {
    menu.push_back(*first);
    taken[*first] = true;
    mark_solved(solved, correct, *first);
  }
  while (static_cast<int>(menu.size()) < size) {
    auto [best, gain] = best_left(correct, log_prob, programs, solved, taken);
    if (gain.solved == 0 && std::ranges::count(solved, true) > 0) {
      solved.assign(solved.size(), false);  // begin anew
      best = best_left(correct, log_prob, programs, solved, taken).first;
    }
    taken[best] = true;
    menu.push_back(best);
    mark_solved(solved, correct, best);
  }
  return menu;
}

std::vector<int> log_prob_cover(const Matrix& log_prob, std::span<const core::Program> programs, int size,
                                std::optional<int> first) {
  const int count = static_cast<int>(programs.size());
  check_same("log-probabilities", log_prob.rows, count, log_prob);
  check_cover(count, size, first);
  std::vector<double> highest(static_cast<std::size_t>(log_prob.rows), kLeastLogProb);
  const auto gain = [&](int program) {
    double sum = 0;
    for (int example = 0; example < log_prob.rows; ++example)
      sum += std::max(0.0, log_prob.at(example, program) - highest[static_cast<std::size_t>(example)]);
    return sum;
  };
  std::vector<int> left(static_cast<std::size_t>(count)), menu;
  std::iota(left.begin(), left.end(), 0);
  std::ranges::sort(left, {}, [&](int program) { return programs[static_cast<std::size_t>(program)]; });
  while (static_cast<int>(menu.size()) < size) {
    const auto taken =
        first && menu.empty() ? std::ranges::find(left, *first) : std::ranges::max_element(left, {}, gain);
    menu.push_back(*taken);
    for (int example = 0; example < log_prob.rows; ++example) {
      double& best = highest[static_cast<std::size_t>(example)];
      best = std::max(best, log_prob.at(example, *taken));
    }
    left.erase(taken);
  }
  return menu;
}

int choose(std::span<const double> scores, std::span<const double> depth_ratios, const ChoiceRule& rule) {
  const int count = static_cast<int>(scores.size());
  if (depth_ratios.size() != scores.size() || rule.identity < 0 || rule.identity >= count) {
    throw core::Error(fmt::format("menu choice: expected {} depth ratios and an identity below {}, found {} and {}",
                                  count, count, depth_ratios.size(), rule.identity));
  }
  const auto value = [&](int program) { return scores[program] - rule.lambda * depth_ratios[program]; };
  int best = -1;
  for (int program = 0; program < count; ++program) {
    if (std::isnan(scores[program])) {
      throw core::Error(fmt::format("menu choice: program {}: expected a score, found not-a-number", program));
    }
    const bool wins = best < 0 || value(program) > value(best) ||
                      (value(program) == value(best) && depth_ratios[program] < depth_ratios[best]);
    if (wins) best = program;
  }
  const double lead = value(best) - value(rule.identity);
  return lead > 0 && lead >= rule.margin ? best : rule.identity;
}

std::vector<int> ranking(std::span<const double> scores, std::span<const double> depth_ratios, const ChoiceRule& rule) {
  const int chosen = choose(scores, depth_ratios, rule);
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](int program) {
    const auto at = static_cast<std::size_t>(program);
    return scores[at] - rule.lambda * depth_ratios[at];
  };
  std::ranges::stable_sort(
      order, [&](int a, int b) { return (a == chosen) != (b == chosen) ? a == chosen : value(a) > value(b); });
  return order;
}

std::vector<MenuPoint> tune(const ScoresOf& scores_of, const Matrix& correct, std::span<const double> depth_ratios,
                            int identity, const TuningGrid& grid) {
  if (grid.scorers.empty() || grid.lambdas.empty() || grid.margins.empty()) {
    throw core::UsageError("menu tuning: expected at least one scorer, one lambda and one margin, found an empty list");
  }
  if (correct.rows < 1) throw core::Error("menu tuning: expected at least one example, found none");
  std::vector<MenuPoint> points;
  for (std::size_t scorer = 0; scorer < grid.scorers.size(); ++scorer) {
    const Matrix& scores = scores_of(scorer);
    check_same("scores", correct.rows, correct.cols, scores);
    for (double lambda : grid.lambdas) {
      for (double margin : grid.margins)
        points.push_back(measure(scores, correct, depth_ratios, grid.scorers[scorer], {lambda, margin, identity}));
    }
  }
  return points;
}

}  // namespace polar::predict
