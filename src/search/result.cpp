#include "search/result.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "search/minimise.h"

namespace polar::search {

namespace {

/// Valid trials of which every reduction was tried and is invalid, in the order given. The budget may end before all
/// are tried, and a space too large to enumerate may not know a program's edits: then a program of which no reduction
/// was found valid stays only where it is shorter than all of those.
std::vector<std::size_t> without_idle_edits(const std::vector<RecordedTrial>& trials,
                                            const std::vector<std::size_t>& valid, const SearchSpace& space,
                                            Minimise minimise) {
  std::unordered_map<core::Program, bool> tried;
  for (const RecordedTrial& trial : trials) tried.emplace(trial.program, trial.outcome.correct);
  std::vector<std::size_t> kept;
  std::vector<bool> all_tried;
  int shortest = std::numeric_limits<int>::max();
  for (const std::size_t i : valid) {
    const auto edited = space.find(trials[i].program);
    bool complete = edited.has_value(), reducible = false;
    for (const EditedProgram& reduced :
         edited ? reductions_of(*edited, space, minimise) : std::vector<EditedProgram>()) {
      const auto found = tried.find(reduced.program);
      complete = complete && found != tried.end();
      reducible = reducible || (found != tried.end() && found->second);
    }
    if (reducible) continue;
    kept.push_back(i);
    all_tried.push_back(complete);
    if (complete) shortest = std::min(shortest, trials[i].program.length());
  }
  std::vector<std::size_t> minimal;
  for (std::size_t place = 0; place < kept.size(); ++place) {
    if (all_tried[place] || trials[kept[place]].program.length() < shortest) minimal.push_back(kept[place]);
  }
  return minimal;
}

void keep_first(std::vector<std::size_t>& items, int count) {
  items.resize(std::min(static_cast<std::size_t>(count), items.size()));
}

}  // namespace

bool more_optimal(const RecordedTrial& a, const RecordedTrial& b) {
  if (a.outcome.correct != b.outcome.correct) return a.outcome.correct;
  if (a.program.length() != b.program.length()) return a.program.length() < b.program.length();
  if (a.outcome.margin != b.outcome.margin) return a.outcome.margin > b.outcome.margin;
  return a.program < b.program;
}

std::vector<std::size_t> pareto_front(const std::vector<RecordedTrial>& trials, std::vector<std::size_t> valid) {
  std::ranges::sort(valid, [&](std::size_t a, std::size_t b) {
    if (trials[a].program.length() != trials[b].program.length())
      return trials[a].program.length() < trials[b].program.length();
    if (trials[a].outcome.answer_log_prob != trials[b].outcome.answer_log_prob)
      return trials[a].outcome.answer_log_prob > trials[b].outcome.answer_log_prob;
    return more_optimal(trials[a], trials[b]);
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : valid) {
    if (front.empty() || trials[i].outcome.answer_log_prob > trials[front.back()].outcome.answer_log_prob)
      front.push_back(i);
  }
  return front;
}

SearchResult result_of(task::ExampleId example, std::vector<RecordedTrial> trials, const SearchSpace& space,
                       const SearchOptions& options, bool exhausted) {
  SearchResult result{std::move(example), std::move(trials), {}, {}, exhausted};
  for (std::size_t i = 0; i < result.trials.size(); ++i) {
    if (result.trials[i].outcome.correct) result.valid.push_back(i);
  }
  const auto in_order = [&](std::vector<std::size_t> indices) {
    std::ranges::sort(indices,
                      [&](std::size_t a, std::size_t b) { return more_optimal(result.trials[a], result.trials[b]); });
    return indices;
  };
  // On a Pareto front, an edit that makes the answer likelier is not idle.
  const bool all = options.minimise == Minimise::kOff || options.objective == Objective::kPareto;
  result.chosen = all ? result.valid : without_idle_edits(result.trials, result.valid, space, options.minimise);
  result.valid = in_order(std::move(result.valid));
  if (options.objective == Objective::kPareto) {
    result.chosen = pareto_front(result.trials, std::move(result.chosen));
  } else if (options.objective == Objective::kFirstValid) {
    keep_first(result.chosen, 1);
  } else {
    result.chosen = in_order(std::move(result.chosen));
    keep_first(result.chosen, options.objective == Objective::kShortest ? 1 : options.keep);
  }
  return result;
}

Progressed after(const std::vector<RecordedTrial>& trials, int rollouts) {
  Progressed state;
  for (std::size_t i = 0; i < trials.size() && static_cast<int>(i) < rollouts; ++i) {
    if (!trials[i].outcome.correct) continue;
    if (!state.solved) state.first_hit = static_cast<int>(i) + 1;
    state.solved = true;
    state.shortest_layers =
        std::min(trials[i].program.length(), state.shortest_layers.value_or(trials[i].program.length()));
  }
  return state;
}

}  // namespace polar::search
