#include "search/minimise.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "search/evaluators.h"

namespace polar::search {

std::vector<EditedProgram> reductions_of(const EditedProgram& program, const SearchSpace& space, Minimise minimise) {
  std::vector<EditedProgram> reductions;
  if (minimise == Minimise::kOff) return reductions;
  for (std::size_t i = 0; i < program.edits.size(); ++i) {
    if (minimise == Minimise::kRepeats && program.edits[i].is_skip()) continue;
    auto reduced = space.without(program, i);
    if (!reduced || reduced->edits.size() >= program.edits.size()) continue;
    if (minimise == Minimise::kRepeats && reduced->program.length() >= program.program.length()) continue;
    reductions.push_back(*std::move(reduced));
  }
  std::ranges::sort(reductions, {}, &EditedProgram::program);
  const auto repeated = std::ranges::unique(reductions, {}, &EditedProgram::program);
  reductions.erase(repeated.begin(), repeated.end());
  return reductions;
}

Minimised minimise(const task::ExampleId& example, EditedProgram program, Outcome outcome, const SearchSpace& space,
                   Minimise minimise, Evaluator& evaluator) {
  if (!outcome.correct) {
    throw core::Error(fmt::format("minimise: example {}: expected a valid program, found {}, which answers wrongly",
                                  example, program.program.text()));
  }
  Minimised result{std::move(program), std::move(outcome), {}};
  for (int step = 0;; ++step) {
    const std::vector<EditedProgram> reductions = reductions_of(result.program, space, minimise);
    if (reductions.empty()) return result;
    std::vector<Trial> trials;
    for (const EditedProgram& reduced : reductions) trials.push_back({example, reduced.program, {}});
    const std::vector<Outcome> outcomes = evaluate_checked(evaluator, trials);
    const std::size_t first = result.trials.size();
    for (std::size_t i = 0; i < trials.size(); ++i) result.trials.push_back({reductions[i].program, outcomes[i], step});
    const auto best =
        std::min_element(result.trials.begin() + static_cast<std::ptrdiff_t>(first), result.trials.end(), more_optimal);
    if (!best->outcome.correct) return result;
    const auto chosen = static_cast<std::size_t>(best - result.trials.begin()) - first;
    result.program = reductions[chosen];
    result.outcome = outcomes[chosen];
  }
}

}  // namespace polar::search
