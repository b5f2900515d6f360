#pragma once
// Edit form of a program: what the search uses (method.md 1). A set of edits on the identity, each skipping or
// repeating a contiguous block of layers. Different edit sets can give the same program: identify programs by layer
// sequence.

#include <string>
#include <vector>

#include "core/program.h"

namespace polar::core {

/// One edit of the identity. extra_runs = runs − 1: −1 skips the block, r ≥ 1 repeats it r extra times.
struct Edit {
  int first = 0;        ///< first layer of the block
  int length = 1;       ///< block length k ≥ 1
  int extra_runs = -1;  ///< −1 (skip) or 1 … r (repeat)
  bool is_skip() const { return extra_runs < 0; }
  int last() const { return first + length - 1; }
  friend auto operator<=>(const Edit&, const Edit&) = default;
};

/// "skip 3-5", "repeat 12-14 x2" (x2 = two runs in all).
std::string to_string(const Edit& edit);

/// Applies edits to the identity of `depth` layers. The blocks must lie inside [0, depth) and be disjoint; their order
/// does not matter. Throws UsageError otherwise, or when no layer is left.
Program apply_edits(int depth, std::vector<Edit> edits);

/// The same for blocks that may overlap: every layer runs once unless a skip covers it, and a repeat runs its whole
/// block extra_runs more times right after the place of the block's last layer, whatever skips say; repeats that end at
/// the same layer run in the order of edits. Equal to apply_edits() where the blocks are disjoint. Throws as it does.
Program apply_overlapping_edits(int depth, std::vector<Edit> edits);

/// Applies one edit to a program's *layer sequence*: the block is program steps first … last, so nested programs arise.
/// (The authors' released search acts so.) Throws UsageError when the block lies outside or nothing is left.
Program apply_edit_to_steps(const Program& program, const Edit& edit);

}  // namespace polar::core
