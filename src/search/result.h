#pragma once
// What a search of one example found, and what "optimal" means.

#include <cstddef>
#include <vector>

#include "core/program.h"
#include "search/evaluator.h"
#include "task/example.h"

namespace polar::search {

/// One rollout, as recorded.
struct RecordedTrial {
  core::Program program;
  Outcome outcome;
  int round = 0;  ///< 0-based
};

/// "Optimal" (method.md 2): valid, then fewest layer executions, then largest margin; then the smaller program.
bool more_optimal(const RecordedTrial& a, const RecordedTrial& b);

struct SearchResult {
  task::ExampleId example;
  std::vector<RecordedTrial> trials;  ///< in recorded order; the first is the identity; no program twice
  std::vector<std::size_t> valid;     ///< indices of the valid trials, most optimal first
  bool exhausted = false;             ///< the space ended before the budget
};

}  // namespace polar::search
