#pragma once
// Programs to start searches from: a file's, or those that served other training examples.

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "core/program.h"
#include "labels/label_store.h"
#include "search/options.h"
#include "search/space.h"
#include "task/example.h"

namespace polar::experiment {

/// One program a line in Program notation; empty lines and lines that begin with '#' are skipped. Throws UsageError
/// naming file and line for what is no program of `depth` layers, for a file that cannot be read and one without
/// programs.
std::vector<core::Program> read_programs(const std::filesystem::path& path, int depth);

struct ServingOptions {
  int depth = 0;  ///< of the model
  int size = 0;   ///< most programs
  search::Objective objective = search::Objective::kBest;
  int trials = 0;  ///< only the first greedy trials of each example count; 0: all
};

/// At most `size` programs, the identity left out, chosen by greedy cover (predict::greedy_cover) over the examples
/// that the identity does not solve; over all of them where it solves every one. A program counts as right on an
/// example only where the store says so. For objectives that look for short programs, all but kFirstValid, in turn with
/// a cover of all examples by programs of fewer than `depth` layers. Empty when the trials know no other valid program.
std::vector<core::Program> programs_that_served(const labels::LabelStore& store,
                                                std::span<const task::Example> examples, const ServingOptions& options);

/// How a pilot is searched, whose programs others start from: single edits first, as many as the rollouts allow, in one
/// random order for all its examples, so that they know the same programs; then by guided. It uses every rollout,
/// whatever the other searches stop at. `rollouts` 0: as many as they have.
search::SearchOptions of_pilot(search::SearchOptions options, const search::SearchSpace& space, std::uint64_t seed,
                               int rollouts);

}  // namespace polar::experiment
