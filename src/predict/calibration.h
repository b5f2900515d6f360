#pragma once
// From scores to probabilities, and how well probabilities keep their word. Torch-free.

#include <span>
#include <vector>

namespace polar::predict {

/// probability = 1 / (1 + exp(−(slope · x + offset))), x the score (Platt scaling) or the log-odds of a score that is
/// itself a probability (temperature scaling: temperature 1 / slope, offset 0). A value.
struct ScoreCalibration {
  double slope = 1, offset = 0;
  bool of_log_odds = false;  ///< x = log(s / (1 − s)), s = score within [kLeastOdds, 1 − kLeastOdds]

  static constexpr double kLeastOdds = 1e-3;
  double probability(double score) const;
  friend bool operator==(const ScoreCalibration&, const ScoreCalibration&) = default;
};

/// The least log-loss on pairs of a score and an outcome in [0, 1], by Newton's method (Platt 1999; Lin, Lin and Weng
/// 2007). The targets are shrunk as there, to (1 + r)/(2 + n) at both ends, so that scores that part the outcomes
/// perfectly have a finite slope. Scores that fall where outcomes rise tell nothing: slope 0 and the mean, rather than
/// an order turned round. Throws core::Error when sizes differ, there is no pair, or a value is not finite.
ScoreCalibration fit_platt(std::span<const double> scores, std::span<const double> outcomes);

/// The temperature alone (Guo, Pleiss, Sun and Weinberger 2017): the slope ≥ 0 of least log-loss on the log-odds of the
/// scores, with targets as fit_platt shrinks them. Throws as fit_platt.
ScoreCalibration fit_temperature(std::span<const double> scores, std::span<const double> outcomes);

/// One bar of a reliability diagram.
struct ReliabilityBin {
  int count = 0;
  double probability = 0;  ///< mean of those in the bin
  double outcome = 0;      ///< mean of those in the bin
};

/// `bins` equal parts of [0, 1], the last one closed; empty ones stay in, count 0. Throws core::Error when sizes differ
/// or a probability is outside.
std::vector<ReliabilityBin> reliability(std::span<const double> probabilities, std::span<const double> outcomes,
                                        int bins = 10);

/// Expected calibration error: the mean over pairs of |probability − outcome| of their bins, in [0, 1]; 0 without
/// pairs.
double calibration_error(std::span<const ReliabilityBin> bins);

}  // namespace polar::predict
