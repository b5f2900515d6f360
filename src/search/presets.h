#pragma once
// The published searches, as settings.

#include "search/options.h"
#include "search/space.h"

namespace polar::search {

struct SearchPlan {
  SpaceOptions space;
  SearchOptions options;

  /// Everything of both that decides which trials are made; equal text, equal search.
  std::string text() const;
};

/// For kPaper, kAuthors, kDrLlm and kReplication: the plan with that publication's edits, score, reward (1 for a right
/// answer, else 0) and stop rule in place of its own, and of kAuthors and kDrLlm their depth bounds. Depth, the layers
/// that may be edited, whether skips and repeats may be, budget and objective stay as they are (the sources edit every
/// layer, first_layer 0, and use both), for kPaper and kReplication the depth bounds too. Other algorithms: the plan
/// itself.
///
/// Sources (method.md 2):
/// - kPaper: PoLar, arXiv 2606.06574: blocks of at most 4, at most 4 extra runs, loops that may overlap, depth budgets
///   of 90 … 115 % of D. It names no c, λ or order: c² = 2 and λ = 5 are its code's, and every child is tried before
///   any is descended to, as in textbooks.
/// - kAuthors: its released code: ln(V + 1), c² = 2, λ = 5, ε = 0.1, blocks of up to 4 layers as the first action and
///   single layers after, one extra run, no layer more than twice, actions on the current layer sequence; length
///   bounds by depth (authors_bounds). Its reward by the majority of three runs is that of one: ours are greedy.
/// - kDrLlm: Dr.LLM, arXiv 2510.12773: c = 1.8, λ = 3, ε = 0.1, skips of 1 or 2 layers, repeats of one, at most 2 D
///   layers, actions on the current layer sequence; stops when rescued or two layers shorter.
/// - kReplication: RE-PoLar, arXiv 2609.31360: c = 1.414, λ = 5, widening max(1, ceil(2·visits^0.5)), over the paper's
///   space.
SearchPlan with_preset(SearchPlan plan);

/// Least and most layers of the authors' code: 16 … 32 of 28, 16 … 28 of 24, 24 … 44 of 36, 36 … 54 of 48; other depths
/// in the proportion of the first.
struct LayerBounds {
  int min = 0;
  int max = 0;
  friend bool operator==(const LayerBounds&, const LayerBounds&) = default;
};
LayerBounds authors_bounds(int depth);

}  // namespace polar::search
