#pragma once
// Segment form of a program: what the predictor emits (method.md 1).

#include <optional>
#include <vector>

#include "core/program.h"

namespace polar::core {

/// A contiguous segment of layers and how often it runs: 0 = skip, 1 = keep, n ≥ 2 = repeat-n.
struct Segment {
  int first = 0;
  int length = 1;
  int runs = 1;
  friend bool operator==(const Segment&, const Segment&) = default;
};

/// Bounds of the form. Segments cover 0 … depth-1 in order without gaps.
struct SegmentLimits {
  int max_length = 4;  ///< K_max
  int max_runs = 2;    ///< 2 = the paper's vocabulary skip/keep/repeat; larger adds repeat-3 … repeat-r
};

using Segments = std::vector<Segment>;

/// The layer sequence of a segmentation. Throws Error when segments do not cover 0 … depth-1 in order, all are skipped
/// or the program is too long.
Program expand(const Segments& segments, int depth);

/// The canonical parse by dynamic programming: fewest segments, then fewest skip segments, then most repeat segments,
/// then longer segments earlier. nullopt when the program is outside segment form (for example an overlapping loop).
/// expand(*parse) == program. Cost O(K · (depth + max_length²)). Throws Error for a depth or limit below 1.
std::optional<Segments> parse_segments(const Program& program, int depth, const SegmentLimits& limits = {});

/// Boundary mask z ∈ {0,1}^depth: 1 where a segment starts (always at layer 0).
std::vector<int> boundary_mask(const Segments& segments, int depth);

}  // namespace polar::core
