#pragma once
// From scores to probabilities, and how well probabilities keep their word. Torch-free.

#include <span>
#include <vector>

namespace polar::predict {

/// probability = 1 / (1 + exp(−(slope · score + offset))): Platt scaling, a temperature 1 / slope and a shift. A value.
struct Platt {
  double slope = 1, offset = 0;

  double probability(double score) const;
  friend bool operator==(const Platt&, const Platt&) = default;
};

/// The least log-loss on pairs of a score and an outcome in [0, 1], by Newton's method (Platt 1999; Lin, Lin and Weng
/// 2007). The targets are shrunk as there, to (1 + r)/(2 + n) at both ends, so that scores that part the outcomes
/// perfectly have a finite slope. Scores that fall where outcomes rise tell nothing: slope 0 and the mean, rather than
/// an order turned round. Throws core::Error when sizes differ, there is no pair, or a value is not finite.
Platt fit_platt(std::span<const double> scores, std::span<const double> outcomes);

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
