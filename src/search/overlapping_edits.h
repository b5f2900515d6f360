#pragma once
// Reads overlapping edits off a layer sequence.

#include <optional>
#include <vector>

#include "core/edit.h"
#include "core/program.h"
#include "search/space.h"

namespace polar::search {

/// A smallest set of the options' edits, skips no longer than max_block and repeats no longer than `repeated_block`,
/// that core::apply_overlapping_edits makes the program of; sorted. nullopt when there is none. Depth bounds, max_edits
/// and max_layer_runs are left to the caller; end_layer is that of SearchSpace::options().
std::optional<std::vector<core::Edit>> overlapping_edits_of(const core::Program& program, const SpaceOptions& options,
                                                            int repeated_block);

}  // namespace polar::search
