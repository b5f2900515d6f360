#pragma once
// Valid programs that the predictor cannot emit, cropped to what it can (method.md 3).

#include <span>
#include <vector>

#include "core/program.h"
#include "predict/targets.h"
#include "search/evaluator.h"

namespace polar::predict {

/// The emittable program that is nearest to `program`: the fewest layer executions removed plus added (the edit
/// distance without substitution), of equals the one of fewer executions, then by a fixed order. A program that can be
/// emitted is its own. Exact, by dynamic programming over (layer, step): O(D · K · L² · R²) for segments of at most L
/// layers and R runs. Throws core::Error for an empty program.
core::Program nearest_emittable(const core::Program& program, const TargetOptions& options);

/// Replaces, in the lists of valid programs (one an example of `ids`), each program that cannot be emitted by its
/// nearest one, where `evaluator` finds that this answers correctly: a crop is another program and need not be valid.
/// The others stay, so that make_targets drops and counts them. Each crop of an example is a trial once, all of the
/// call in one batch. Adds to counts.cropped and counts.crops_valid.
void crop_unemittable(std::span<const task::ExampleId> ids, std::span<std::vector<ValidProgram>> valid,
                      const TargetOptions& options, search::Evaluator& evaluator, TargetCounts& counts);

}  // namespace polar::predict
