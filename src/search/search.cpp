#include "search/search.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "search/minimise.h"

namespace polar::search {

namespace {

/// Dr.LLM's second reason to stop: a right identity, and a valid program of this many layers fewer.
constexpr int kLayersSaved = 2;

}  // namespace

Search::Search(task::ExampleId example, const SearchSpace& space, const SearchOptions& options)
    : example_(std::move(example)), space_(space), options_(options) {
  options_.check();
}

double Search::value(const core::Program& program, const Outcome& outcome) const {
  return reward(outcome, options_.reward) - options_.length_penalty * program.depth_ratio(space_.depth());
}

std::vector<Trial> Search::select() {
  assert(pending_.empty() && "backup() the last round first");
  std::vector<Trial> trials;
  if (stopped()) return trials;
  gave_up_ = false;
  while (static_cast<int>(trials.size()) < options_.leaves_per_round && selected() < options_.rollouts) {
    std::optional<EditedProgram> chosen = choose();
    if (!chosen) {
      exhausted_ = trials.empty() && !gave_up_;
      break;
    }
    [[maybe_unused]] const bool fresh = known_.insert(chosen->program).second;
    assert(fresh && "next() gives new programs only");
    trials.push_back({example_, chosen->program, {}});
    pending_.push_back(*std::move(chosen));
  }
  return trials;
}

// Steps 1 to 4 of the class comment.
std::optional<EditedProgram> Search::choose() {
  if (known_.empty()) return space_.identity();  // 1
  while (!reductions_.empty()) {                 // 2
    EditedProgram reduced = std::move(reductions_.front());
    reductions_.pop_front();
    if (!known(reduced.program)) return reduced;
  }
  while (next_first_program_ < options_.first_programs.size()) {  // 3
    const core::Program& program = options_.first_programs[next_first_program_++];
    if (known(program)) continue;
    if (std::optional<EditedProgram> found = space_.find(program)) return found;
  }
  return next();  // 4
}

void Search::backup(std::span<const Outcome> outcomes) {
  assert(outcomes.size() == pending_.size() && "one outcome per selected trial");
  std::vector<std::size_t> valid;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const core::Program& program = pending_[i].program;
    const bool identity_right = !trials_.empty() && trials_.front().outcome.correct;
    trials_.push_back({program, outcomes[i], round_});
    if (outcomes[i].correct) {
      ++valid_count_;
      const bool shorter = program.length() <= space_.depth() - kLayersSaved;
      rescued_ = rescued_ || (trials_.size() > 1 && (!identity_right || shorter));
      shortest_valid_ = std::min(program.length(), shortest_valid_.value_or(program.length()));
      valid.push_back(i);
    }
    learn(pending_[i], outcomes[i]);
  }
  const std::size_t first = trials_.size() - outcomes.size();
  std::ranges::sort(valid,
                    [&](std::size_t a, std::size_t b) { return more_optimal(trials_[first + a], trials_[first + b]); });
  for (const std::size_t i : valid) queue_reductions(pending_[i]);
  pending_.clear();
  ++round_;
}

/// Of the edits that the result will read in it, which may be fewer than it was made by.
void Search::queue_reductions(const EditedProgram& valid) {
  if (options_.minimise == Minimise::kOff) return;
  for (EditedProgram& reduced : reductions_of(space_.find(valid.program).value_or(valid), space_, options_.minimise))
    reductions_.push_back(std::move(reduced));
}

bool Search::stopped() const {
  if (options_.stop_when_rescued && rescued_) return true;
  const bool first = options_.objective == Objective::kFirstValid && valid_count_ > 0;
  const bool enough = options_.stop_after_valid > 0 && valid_count_ >= options_.stop_after_valid;
  return (first || enough) &&
         std::ranges::all_of(reductions_, [&](const EditedProgram& reduced) { return known(reduced.program); });
}

SearchResult Search::take_result() {
  return result_of(std::move(example_), std::move(trials_), space_, options_, exhausted_);
}

}  // namespace polar::search
