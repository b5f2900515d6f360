#pragma once
// Outcomes are checked before anything uses them.

#include <span>
#include <vector>

#include "search/evaluator.h"

namespace polar::search {

/// evaluator.evaluate(trials), checked: throws Error when the number of outcomes differs, or naming example and program
/// when a log probability or margin is not a number or no position was scored, so that no such outcome reaches a tree
/// or a store.
std::vector<Outcome> evaluate_checked(Evaluator& evaluator, std::span<const Trial> trials);

}  // namespace polar::search
