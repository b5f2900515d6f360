#pragma once
// Training targets of the program predictor: valid programs in canonical segment form (method.md 1 and 3). Torch-free.

#include <optional>
#include <span>
#include <vector>

#include "core/program.h"
#include "core/segment.h"

namespace polar::predict {

/// What the predictor can emit, and how an example's valid programs are weighted.
struct TargetOptions {
  int depth = 0;                 ///< D, layers of the pool
  int first_layer = 0;           ///< p: layers 0 … p−1 always run once (the features come from them); 0 ≤ p < D
  core::SegmentLimits limits{};  ///< longest segment and most runs; operations C = max_runs + 1
  int max_programs = 50;         ///< at most so many targets an example, the first ones given
  double identity_weight = 0.3;  ///< weight of the identity when the example has another target; others weigh 1
};

/// Throws core::UsageError unless 0 ≤ first_layer < depth, segments and runs ≥ 1, max_programs ≥ 1, identity_weight >
/// 0.
void check_target_options(const TargetOptions& options);

/// One valid program as labels over the D layers.
struct SegmentTarget {
  std::vector<int> boundary;   ///< [D] 1 where a segment starts; always 1 at first_layer, 0 below it
  std::vector<int> operation;  ///< [D] runs of the segment that starts here (0 skip, 1 keep, n repeat-n); −1 elsewhere
  double weight = 1;           ///< > 0; mean 1 over the example's targets
};

/// All targets of one example; empty when it has no program that the predictor can emit.
using ExampleTargets = std::vector<SegmentTarget>;

/// What became of the programs given: nothing is dropped without being counted.
/// programs = used + duplicates + unparsable + prefix_edits + over_limit.
struct TargetCounts {
  int examples = 0;
  int examples_without_targets = 0;
  int programs = 0;
  int used = 0;
  int duplicates = 0;    ///< the same layer sequence given again
  int unparsable = 0;    ///< outside segment form (say an overlapping loop or more runs than the vocabulary has)
  int prefix_edits = 0;  ///< layers 0 … first_layer−1 do not run exactly once, in order, at the start
  int over_limit = 0;    ///< beyond max_programs
  friend bool operator==(const TargetCounts&, const TargetCounts&) = default;
};

/// Segments covering first_layer … depth−1: the canonical parse of what follows the prefix. nullopt when outside the
/// form, or when the prefix is edited (then *prefix_edited is true).
std::optional<core::Segments> parse_after_prefix(const core::Program& program, const TargetOptions& options,
                                                 bool* prefix_edited = nullptr);

/// Targets of one example's valid programs, in the order given (put the preferred ones first); adds to `counts`.
ExampleTargets make_targets(std::span<const core::Program> valid, const TargetOptions& options, TargetCounts& counts);

}  // namespace polar::predict
