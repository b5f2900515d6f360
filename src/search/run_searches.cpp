#include "search/run_searches.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "search/evaluator.h"
#include "search/search_factory.h"

namespace polar::search {

namespace {

/// One place in the step: a search and its part of the batch.
struct Slot {
  std::size_t index = 0;  ///< of the example
  std::unique_ptr<Search> search;
  std::size_t first_trial = 0;
  std::size_t trial_count = 0;
};

void check_run(std::span<const task::ExampleId> examples, const SearchOptions& options, const SearchRun& run) {
  options.check();
  if (run.trees_in_step < 1) {
    throw core::UsageError(fmt::format("search: trees_in_step: expected at least 1, found {}", run.trees_in_step));
  }
  std::unordered_set<task::ExampleId> ids;
  for (const task::ExampleId& id : examples) {
    if (!ids.insert(id).second) {
      throw core::UsageError(fmt::format("search: example id {} stands twice in the list: ids must be unique", id));
    }
  }
}

/// The steps of run_searches; one object per call.
class Run {
 public:
  Run(std::span<const task::ExampleId> examples, const SearchSpace& space, const SearchOptions& options,
      Evaluator& evaluator, const SearchRun& settings)
      : examples_(examples),
        factory_(space, options, settings.root_seed),
        options_(options),
        evaluator_(evaluator),
        settings_(settings) {
    results_.resize(examples.size());
    progress_.searches = static_cast<int>(examples.size());
    progress_.rollouts_at_most = static_cast<long>(examples.size()) * options.rollouts;
  }

  std::vector<SearchResult> finish() {
    for (;;) {
      select();  // 1
      if (batch_.empty()) break;
      throw_if_stopped();
      const std::vector<Outcome> outcomes = evaluate_checked(evaluator_, batch_);                  // 2
      record(outcomes);                                                                            // 3
      for (Slot& slot : slots_) backup(slot, share_of(slot, std::span<const Outcome>(outcomes)));  // 4
      report();
    }
    report();
    return std::move(results_);
  }

 private:
  void select() {
    batch_.clear();
    std::vector<Slot> still_active;
    for (Slot& slot : slots_) select_or_retire(std::move(slot), still_active);
    while (static_cast<int>(still_active.size()) < settings_.trees_in_step && next_example_ < examples_.size()) {
      const std::size_t index = next_example_++;
      select_or_retire({index, factory_.make(examples_[index])}, still_active);
    }
    slots_ = std::move(still_active);
  }

  void select_or_retire(Slot slot, std::vector<Slot>& still_active) {
    std::vector<Trial> trials = slot.search->select();
    if (trials.empty()) {
      ++progress_.searches_done;
      progress_.rollouts_at_most -= options_.rollouts - static_cast<long>(slot.search->trials().size());
      if (settings_.recorder != nullptr) settings_.recorder->mark_done(slot.search->example());
      results_[slot.index] = slot.search->take_result();
      return;
    }
    slot.first_trial = batch_.size();
    slot.trial_count = trials.size();
    std::move(trials.begin(), trials.end(), std::back_inserter(batch_));
    still_active.push_back(std::move(slot));
  }

  void throw_if_stopped() const {
    if (settings_.stop == nullptr || !settings_.stop->load()) return;
    throw core::Interrupted(fmt::format(
        "search interrupted: {} of {} searches and {} rollouts are finished; every finished round was recorded, and "
        "the same command goes on from there",
        progress_.searches_done, progress_.searches, progress_.rollouts_done));
  }

  template <typename Item>
  static std::span<const Item> share_of(const Slot& slot, std::span<const Item> all) {
    return all.subspan(slot.first_trial, slot.trial_count);
  }

  void record(std::span<const Outcome> outcomes) const {
    if (settings_.recorder == nullptr) return;
    std::vector<FinishedRound> rounds;
    for (const Slot& slot : slots_) {
      rounds.push_back({slot.search->example(), slot.search->round(), share_of(slot, std::span<const Trial>(batch_)),
                        share_of(slot, outcomes)});
    }
    settings_.recorder->record_step(rounds);
  }

  void backup(Slot& slot, std::span<const Outcome> outcomes) {
    const int valid_before = slot.search->valid_count();
    const bool first_round = slot.search->round() == 0;
    slot.search->backup(outcomes);
    progress_.rollouts_done += static_cast<long>(outcomes.size());
    if (first_round && slot.search->trials().front().outcome.correct) ++progress_.identity_correct;
    if (valid_before == 0 && slot.search->valid_count() > 0) ++progress_.solved;
  }

  void report() const {
    if (settings_.progress) settings_.progress(progress_);
  }

  std::span<const task::ExampleId> examples_;
  const SearchFactory factory_;
  const SearchOptions& options_;
  Evaluator& evaluator_;
  const SearchRun& settings_;
  std::vector<Slot> slots_;
  std::vector<Trial> batch_;
  std::size_t next_example_ = 0;
  std::vector<SearchResult> results_;
  SearchProgress progress_;
};

}  // namespace

std::vector<SearchResult> run_searches(std::span<const task::ExampleId> examples, const SearchSpace& space,
                                       const SearchOptions& options, Evaluator& evaluator, const SearchRun& run) {
  check_run(examples, options, run);
  return Run(examples, space, options, evaluator, run).finish();
}

}  // namespace polar::search
