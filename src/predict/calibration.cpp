#include "predict/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace polar::predict {
namespace {

void check_pairs(const char* what, std::size_t values, std::size_t outcomes) {
  if (values != outcomes)
    throw core::Error(
        fmt::format("calibration: expected as many {} as outcomes, found {} and {}", what, values, outcomes));
}

/// log(1 + exp(z)) − target · z.
double loss_at(double z, double target) {
  return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - target * z;
}

double total_loss(const ScoreCalibration& platt, std::span<const double> scores, std::span<const double> targets) {
  double loss = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) loss += loss_at(platt.slope * scores[i] + platt.offset, targets[i]);
  return loss;
}

/// Outcomes between those that stand for 0 and 1.
std::vector<double> shrunk(std::span<const double> outcomes) {
  double right = 0;
  for (double outcome : outcomes) right += outcome;
  const double wrong = static_cast<double>(outcomes.size()) - right;
  const double low = 1 / (wrong + 2), high = (right + 1) / (right + 2);
  std::vector<double> targets;
  for (double outcome : outcomes) targets.push_back(low + (high - low) * outcome);
  return targets;
}

/// Gradient and Hessian of the loss by (slope, offset).
struct Curvature {
  double slope = 0, offset = 0, slope_slope = 0, slope_offset = 0, offset_offset = 0;
};

Curvature curvature_at(const ScoreCalibration& platt, std::span<const double> scores, std::span<const double> targets) {
  constexpr double kRidge = 1e-12;  // keeps the system solvable when all scores are equal
  Curvature sum{.slope_slope = kRidge, .offset_offset = kRidge};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double p = platt.probability(scores[i]), d = p - targets[i], weight = p * (1 - p);
    sum.slope += d * scores[i];
    sum.offset += d;
    sum.slope_slope += weight * scores[i] * scores[i];
    sum.slope_offset += weight * scores[i];
    sum.offset_offset += weight;
  }
  return sum;
}

void check_finite_pairs(std::span<const double> scores, std::span<const double> outcomes) {
  check_pairs("scores", scores.size(), outcomes.size());
  const auto finite = [](double value) { return std::isfinite(value); };
  if (scores.empty() || !std::ranges::all_of(scores, finite) || !std::ranges::all_of(outcomes, finite))
    throw core::Error("calibration: expected pairs of finite scores and outcomes, found none or others");
}

double log_odds(double score) {
  const double share = std::clamp(score, ScoreCalibration::kLeastOdds, 1 - ScoreCalibration::kLeastOdds);
  return std::log(share / (1 - share));
}

}  // namespace

double ScoreCalibration::probability(double score) const {
  return 1 / (1 + std::exp(-(slope * (of_log_odds ? log_odds(score) : score) + offset)));
}

ScoreCalibration fit_platt(std::span<const double> scores, std::span<const double> outcomes) {
  check_finite_pairs(scores, outcomes);
  const std::vector<double> targets = shrunk(outcomes);
  ScoreCalibration platt{0, 0};
  double loss = total_loss(platt, scores, targets);
  for (int step = 0; step < 100; ++step) {
    const Curvature at = curvature_at(platt, scores, targets);
    const double determinant = at.slope_slope * at.offset_offset - at.slope_offset * at.slope_offset;
    const double by_slope = -(at.offset_offset * at.slope - at.slope_offset * at.offset) / determinant;
    const double by_offset = -(at.slope_slope * at.offset - at.slope_offset * at.slope) / determinant;
    double next_loss = loss;
    ScoreCalibration next = platt;
    constexpr int kHalvings = 34;
    for (int halvings = 0; halvings < kHalvings; ++halvings) {  // Newton's step may lead too far
      const double length = std::ldexp(1.0, -halvings);
      next = {platt.slope + length * by_slope, platt.offset + length * by_offset};
      next_loss = total_loss(next, scores, targets);
      if (next_loss < loss) break;
    }
    if (!(next_loss < loss)) break;
    const bool settled = loss - next_loss < 1e-12 * std::abs(loss);
    platt = next;
    loss = next_loss;
    if (settled) break;
  }
  if (platt.slope >= 0) return platt;
  double mean = 0;
  for (double target : targets) mean += target / static_cast<double>(targets.size());
  return {0, std::log(mean / (1 - mean))};
}

ScoreCalibration fit_temperature(std::span<const double> scores, std::span<const double> outcomes) {
  check_finite_pairs(scores, outcomes);
  const std::vector<double> targets = shrunk(outcomes);
  std::vector<double> odds;
  for (double score : scores) odds.push_back(log_odds(score));
  const auto rises = [&](double slope) {  // the loss, from this slope on; it is convex
    double derivative = 0;
    for (std::size_t i = 0; i < odds.size(); ++i)
      derivative += (1 / (1 + std::exp(-slope * odds[i])) - targets[i]) * odds[i];
    return derivative >= 0;
  };
  double low = 0, high = 1;
  constexpr double kSteepest = 1 << 20;
  while (!rises(high) && high < kSteepest) high *= 2;
  for (int halvings = 0; halvings < 60; ++halvings) {
    const double middle = (low + high) / 2;
    (rises(middle) ? high : low) = middle;
  }
  return {(low + high) / 2, 0, true};
}

std::vector<ReliabilityBin> reliability(std::span<const double> probabilities, std::span<const double> outcomes,
                                        int bins) {
  check_pairs("probabilities", probabilities.size(), outcomes.size());
  std::vector<ReliabilityBin> all(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (!(probabilities[i] >= 0 && probabilities[i] <= 1))
      throw core::Error(fmt::format("calibration: expected probabilities in 0 … 1, found {}", probabilities[i]));
    ReliabilityBin& bin = all[std::min(all.size() - 1, static_cast<std::size_t>(probabilities[i] * bins))];
    ++bin.count;
    bin.probability += probabilities[i];
    bin.outcome += outcomes[i];
  }
  for (ReliabilityBin& bin : all) {
    if (bin.count == 0) continue;
    bin.probability /= bin.count;
    bin.outcome /= bin.count;
  }
  return all;
}

double calibration_error(std::span<const ReliabilityBin> bins) {
  double error = 0, count = 0;
  for (const ReliabilityBin& bin : bins) {
    error += bin.count * std::abs(bin.probability - bin.outcome);
    count += bin.count;
  }
  return count > 0 ? error / count : 0;
}

}  // namespace polar::predict
