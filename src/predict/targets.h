#pragma once
// Training targets of the program predictor: valid programs in canonical segment form (method.md 1 and 3). Torch-free.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/program.h"
#include "core/segment.h"

namespace polar::predict {

/// A program that answers an example correctly.
struct ValidProgram {
  core::Program program;
  double margin =
      0;  ///< of its outcome (search::Outcome::margin), in logits; read by TargetOptions::margin_weight only
};

/// Which of an example's valid programs become its targets.
enum class TargetChoice {
  kAll,       ///< every one, as published
  kShortest,  ///< one: fewest layer executions, the first given of equals
  kCover      ///< one: the first of cover_order that is valid for the example, or else the first given
};

std::string_view to_string(TargetChoice choice);  ///< "all", "shortest", "cover"
/// Throws core::UsageError for another name.
TargetChoice target_choice(std::string_view name);

/// What the predictor can emit, and how an example's valid programs are weighted. A program of K layer executions and
/// margin m weighs
///
///   e^(−length_weight·K) · σ(m)^margin_weight · (identity_weight, if it is the identity and not alone)
///
/// before normalisation. σ(m) is the required token's share against its strongest rival at the weakest position of the
/// answer: a label that the next rounding could flip weighs half a safe one, and beyond a few logits more safety does
/// not count. Where nothing is said, the default is the published method.
struct TargetOptions {
  int depth = 0;                 ///< D, layers of the pool
  int first_layer = 0;           ///< p: layers 0 … p−1 always run once (the features come from them); 0 ≤ p < D
  core::SegmentLimits limits{};  ///< longest segment and most runs; operations C = max_runs + 1
  int max_programs = 50;         ///< at most so many programs an example, the first ones given
  double identity_weight = 0.3;  ///< in [0, 1], of the identity beside another target; 0: it is then no target
  double length_weight = 0;      ///< in [0, 1]; 0.05 in a variant of the released code
  double margin_weight = 0;      ///< in [0, 10]
  TargetChoice choice = TargetChoice::kAll;  ///< among what max_programs and identity_weight leave
};

/// Throws core::UsageError unless 0 ≤ first_layer < depth, segments and runs ≥ 1, max_programs ≥ 1 and weights are in
/// range.
void check_target_options(const TargetOptions& options);

/// One valid program as labels over the D layers.
struct SegmentTarget {
  std::vector<int> boundary;   ///< [D] 1 where a segment starts; always 1 at first_layer, 0 below it
  std::vector<int> operation;  ///< [D] runs of the segment that starts here (0 skip, 1 keep, n repeat-n); −1 elsewhere
  double weight = 1;           ///< > 0; mean 1 over the example's targets
};

/// The program that a target stands for. Throws core::Error when the target is not one of make_targets().
core::Program program_of(const SegmentTarget& target);

/// All targets of one example; empty when it has no program that the predictor can emit.
using ExampleTargets = std::vector<SegmentTarget>;

/// Whether some target is not the identity.
bool has_edits(const ExampleTargets& targets);

/// What became of the programs given: nothing is dropped without being counted.
/// programs = used + duplicates + unparsable + prefix_edits + over_limit + not_chosen.
struct TargetCounts {
  int examples = 0;
  int examples_without_targets = 0;
  int programs = 0;
  int used = 0;
  int duplicates = 0;    ///< the same layer sequence given again
  int unparsable = 0;    ///< outside segment form (say an overlapping loop or more runs than the vocabulary has)
  int prefix_edits = 0;  ///< layers 0 … first_layer−1 do not run exactly once, in order, at the start
  int over_limit = 0;    ///< beyond max_programs
  int not_chosen = 0;    ///< left out by `choice`, or the identity of weight 0
  int cropped = 0;       ///< could not be emitted and were cropped (crop.h)
  int crops_valid =
      0;  ///< of these, with a crop that answers correctly: counted above as the crop, the rest as they are
  friend bool operator==(const TargetCounts&, const TargetCounts&) = default;
};

/// Segments covering first_layer … depth−1: the canonical parse of what follows the prefix. nullopt when outside the
/// form, or when the prefix is edited (then *prefix_edited is true).
std::optional<core::Segments> parse_after_prefix(const core::Program& program, const TargetOptions& options,
                                                 bool* prefix_edited = nullptr);

/// Programs in the order in which a greedy cover of the examples takes them: each next one is a possible target of the
/// most examples that have none before it, the smaller program of equals. Ends when every example with a possible
/// target has one, so that examples agree on few programs. One list of valid programs an example.
std::vector<core::Program> cover_order(std::span<const std::vector<ValidProgram>> examples,
                                       const TargetOptions& options);

/// Targets of one example's valid programs, in the order given (put the preferred ones first); adds to `counts`.
/// `cover`: cover_order of the training examples; read by TargetChoice::kCover only.
ExampleTargets make_targets(std::span<const ValidProgram> valid, const TargetOptions& options, TargetCounts& counts,
                            std::span<const core::Program> cover = {});

}  // namespace polar::predict
