#pragma once
// How good a predictor's first program is, judged by the search's labels alone, and the boundary threshold that suits
// it. Torch-free.

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/program.h"
#include "predict/decode.h"

namespace polar::predict {

/// Over the examples with a valid program. A top-1 program that answers correctly but was never tried does not count:
/// membership is a lower bound of accuracy.
struct TopOne {
  double membership = 0;  ///< share whose top-1 program is among their valid programs
  double identity = 0;    ///< share whose top-1 program is the identity
};

/// `logits` and `valid` by example. nullopt when no example has a valid program. Throws core::Error when sizes
/// disagree, and as decode does.
std::optional<TopOne> score_top_one(std::span<const ProgramLogits> logits,
                                    std::span<const std::vector<core::Program>> valid, const DecodeOptions& options);

struct Calibration {
  double threshold = 0.5;                         ///< chosen
  std::vector<std::pair<double, TopOne>> points;  ///< of each threshold tried
};

/// Of the boundary thresholds 0.1, 0.2 … 0.9 the one with the highest membership; of equals the nearest to 0.5, then
/// the lower. Without valid programs: 0.5 and no points. Otherwise as score_top_one.
Calibration calibrate_threshold(std::span<const ProgramLogits> logits,
                                std::span<const std::vector<core::Program>> valid, DecodeOptions options);

}  // namespace polar::predict
