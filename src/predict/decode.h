#pragma once
// From logits to ranked programs (method.md 3, decoding). Torch-free and pure.

#include <vector>

#include "core/program.h"
#include "core/segment.h"

namespace polar::predict {

/// The predictor's output for one input. Natural-log odds and unnormalised log-probabilities, row-major, float32.
struct ProgramLogits {
  int depth = 0;                 ///< D
  int operations = 0;            ///< C: operation c runs a segment c times
  std::vector<float> boundary;   ///< [D] log odds that a segment starts at this layer
  std::vector<float> operation;  ///< [D, C], read at segment starts only
};

struct DecodeOptions {
  core::SegmentLimits limits{};     ///< segments are cut to max_length; max_runs must be C − 1
  int first_layer = 0;              ///< p: no edit touches layers 0 … p−1
  double boundary_threshold = 0.5;  ///< a segment starts where sigmoid(boundary logit) ≥ threshold
  int beam = 5;                     ///< programs kept and returned at most
  double length_penalty = 0;        ///< λ ≥ 0: programs are ranked by log_prob − λ·K/D, among the `beam` most probable
  int top_operations = 2;  ///< operations tried for each segment; ≥ 2, or the empty program might be all that is left
};

struct ScoredProgram {
  core::Program program;
  double log_prob =
      0;  ///< natural log: sum over segments of log softmax(operation) at their starts, given the segmentation; ≤ 0
};

/// Best first; of equals the smaller program. Between 1 and `beam` distinct programs, each non-empty,
/// in segment form and beginning with 0 … first_layer−1. The segmentation is one for all: layer first_layer starts a
/// segment, as does every layer above the threshold and every max_length-th layer of a run without boundary. Throws
/// core::Error when sizes disagree or a logit is not finite, core::UsageError for options out of range.
std::vector<ScoredProgram> decode(const ProgramLogits& logits, const DecodeOptions& options);

}  // namespace polar::predict
