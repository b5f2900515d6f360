#pragma once
// A menu of programs: how it is chosen, how a program of it is chosen for an input, and how that rule is tuned
// (method.md 3, menu policy). Torch-free.

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/program.h"
#include "predict/matrix.h"
#include "predict/menu_scorer.h"

namespace polar::predict {

/// Indices of `size` candidate programs, in the order chosen. correct [n, P] of 0 and 1, log_prob [n, P] of the
/// reference answer (≤ 0, −infinity allowed), programs P. Each step takes the program that is correct on the most
/// examples that no chosen one solves; ties go to the larger sum of log-probabilities over those unsolved examples,
/// then to the smaller program. When no program left solves another example, the cover begins anew over all of them, so
/// that each is solved by several programs of a large menu. `first`: index taken before all others (say the identity).
/// Throws core::Error when sizes disagree, core::UsageError unless 1 ≤ size ≤ P and 0 ≤ first < P.
std::vector<int> greedy_cover(const Matrix& correct, const Matrix& log_prob, std::span<const core::Program> programs,
                              int size, std::optional<int> first = std::nullopt);

/// The same by log-probability alone: each step takes the program that raises the examples' highest log-probabilities
/// under a chosen program most, in sum; one below kLeastLogProb counts as that, which is also where every example
/// begins. Ties go to the smaller program. Throws as greedy_cover.
std::vector<int> log_prob_cover(const Matrix& log_prob, std::span<const core::Program> programs, int size,
                                std::optional<int> first = std::nullopt);
constexpr double kLeastLogProb = -100;

/// How a program of a menu is chosen from its scores.
struct ChoiceRule {
  double lambda = 0;  ///< price of depth: value = score − lambda · K/D
  double margin = 0;  ///< ≥ 0; the identity is kept unless another program's value exceeds its value by more than 0 and
                      ///< at least this
  int identity = 0;   ///< the identity's index in the menu
};

/// Index of the chosen program: the greatest value score − lambda · K/D, equal values to the smaller depth ratio, then
/// to the earlier index; the identity when it does not beat the identity by the margin. Throws core::Error when sizes
/// disagree, the identity is outside, or a score is not a number.
int choose(std::span<const double> scores, std::span<const double> depth_ratios, const ChoiceRule& rule);

/// Indices of all programs: the one chosen, then the others by value; equal values in their order. Throws as choose.
std::vector<int> ranking(std::span<const double> scores, std::span<const double> depth_ratios, const ChoiceRule& rule);

/// What a scorer and a rule reach on examples whose outcomes are known.
struct MenuPoint {
  ScorerOptions scorer;
  ChoiceRule rule;
  double accuracy = 0;          ///< mean outcome of the chosen programs
  double mean_depth_ratio = 0;  ///< of the chosen programs
  double identity_share = 0;    ///< of choices
};

/// Everything tried is the product of the three lists.
struct TuningGrid {
  std::vector<ScorerOptions> scorers;
  std::vector<double> lambdas{0};
  std::vector<double> margins{0};
};

/// Scores [n, m] of the evaluated examples under a scorer, by its place in the grid.
using ScoresOf = std::function<const Matrix&(std::size_t scorer)>;

/// Tries the grid on examples with outcomes `correct` [n, m]: all points, in grid order (scorers, lambdas, margins).
/// Throws core::UsageError for an empty grid, core::Error when sizes disagree.
std::vector<MenuPoint> tune(const ScoresOf& scores_of, const Matrix& correct, std::span<const double> depth_ratios,
                            int identity, const TuningGrid& grid);

/// Of the points (say MenuPoint, CascadePoint) that run at most `max_mean_depth_ratio` × D layers on average: highest
/// accuracy, then lower depth, then the earlier one. None when no point does.
template <typename Point>
std::optional<Point> best_within(const std::vector<Point>& points,
                                 std::optional<double> max_mean_depth_ratio = std::nullopt) {
  std::optional<Point> best;
  for (const Point& point : points) {
    if (max_mean_depth_ratio && point.mean_depth_ratio > *max_mean_depth_ratio) continue;
    const auto order = [](const Point& one) { return std::pair(one.accuracy, -one.mean_depth_ratio); };
    if (!best || order(point) > order(*best)) best = point;
  }
  return best;
}

/// The most accurate of those that run the fewest layers on average, then the earlier one. At least one point.
template <typename Point>
Point shallowest(const std::vector<Point>& points) {
  return best_within(points, std::ranges::min(points, {}, &Point::mean_depth_ratio).mean_depth_ratio).value();
}

}  // namespace polar::predict
