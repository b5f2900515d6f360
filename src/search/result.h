#pragma once
// What a search of one example found, and what "optimal" means.

#include <cstddef>
#include <optional>
#include <vector>

#include "core/program.h"
#include "search/evaluator.h"
#include "search/options.h"
#include "search/space.h"
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

/// Of these valid trials, the indices of those that no other valid one beats: fewer layers with a log-probability of
/// the answer at least as high, or a higher one with as few layers. Fewest layers first, so log-probabilities rise; of
/// equal ones the more optimal stands.
std::vector<std::size_t> pareto_front(const std::vector<RecordedTrial>& trials, std::vector<std::size_t> valid);

struct SearchResult {
  task::ExampleId example;
  std::vector<RecordedTrial> trials;  ///< in recorded order; the first is the identity; no program twice
  std::vector<std::size_t> valid;     ///< indices of the valid trials, most optimal first
  std::vector<std::size_t> chosen;    ///< of these, what the objective asks for, in its order
  bool exhausted = false;             ///< nothing was left to try before the budget ended
};

/// Sorts the trials of a search into its result. Unless options.minimise is off or a Pareto front is asked for,
/// `chosen` leaves out programs with an idle edit: those of which a reduction (minimise.h) was found valid too.
SearchResult result_of(task::ExampleId example, std::vector<RecordedTrial> trials, const SearchSpace& space,
                       const SearchOptions& options, bool exhausted);

/// What a search looks like after its first `rollouts` trials.
struct Progressed {
  bool solved = false;
  std::optional<int> first_hit;        ///< rollouts up to and with the first valid program
  std::optional<int> shortest_layers;  ///< of the valid programs
};
Progressed after(const std::vector<RecordedTrial>& trials, int rollouts);

}  // namespace polar::search
