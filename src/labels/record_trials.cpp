#include "labels/record_trials.h"

#include <set>
#include <utility>

#include "core/error.h"
#include "search/evaluator.h"

namespace polar::labels {
namespace {

/// Where the first example's trials end.
std::size_t first_example_end(std::span<const search::Trial> trials) {
  std::size_t end = 1;
  while (end < trials.size() && trials[end].example == trials.front().example) ++end;
  return end;
}

/// Round by round.
void record_rounds(LabelStore& store, const ExampleTrials& one, std::span<const search::Outcome> outcomes) {
  const std::span trials(one.trials);
  for (std::size_t first = 0, end = 0; first < trials.size(); first = end) {
    while (end < trials.size() && one.rounds[end] == one.rounds[first]) ++end;
    store.record(one.example, one.rounds[first], trials.subspan(first, end - first),
                 outcomes.subspan(first, end - first));
  }
  if (one.done) store.mark_done(one.example);
}

}  // namespace

TrialBatches::TrialBatches(search::Evaluator& evaluator, LabelStore* store, RecordOptions options, Take take)
    : evaluator_(evaluator), store_(store), options_(std::move(options)), take_(std::move(take)) {}

void TrialBatches::add(ExampleTrials trials) {
  trials_ += trials.trials.size();
  batch_.push_back(std::move(trials));
  if (trials_ >= static_cast<std::size_t>(options_.trials_per_batch)) evaluate();
}

void TrialBatches::finish() {
  if (!batch_.empty()) evaluate();
}

void TrialBatches::evaluate() {
  if (options_.stop != nullptr && options_.stop->load())
    throw core::Interrupted("interrupted: what was recorded is kept, and the same command goes on from there");
  std::vector<search::Trial> trials;
  trials.reserve(trials_);
  for (const ExampleTrials& one : batch_) trials.insert(trials.end(), one.trials.begin(), one.trials.end());
  const std::vector<search::Outcome> outcomes =
      trials.empty() ? std::vector<search::Outcome>() : search::evaluate_checked(evaluator_, trials);
  if (store_ != nullptr) record(outcomes);
  std::span<const search::Outcome> left(outcomes);
  for (const ExampleTrials& one : batch_) {
    if (take_) take_(one, left.first(one.trials.size()));
    left = left.subspan(one.trials.size());
  }
  batch_.clear();
  trials_ = 0;
  if (options_.progress) options_.progress(static_cast<std::int64_t>(trials.size()));
}

void TrialBatches::record(std::span<const search::Outcome> outcomes) {
  LabelStore::Batch transaction(*store_);
  for (const ExampleTrials& one : batch_) {
    record_rounds(*store_, one, outcomes.first(one.trials.size()));
    outcomes = outcomes.subspan(one.trials.size());
  }
  transaction.commit();
}

std::vector<search::Trial> missing_trials(const LabelStore& store, std::span<const search::Trial> wanted) {
  std::vector<search::Trial> missing;
  while (!wanted.empty()) {
    const std::size_t own = first_example_end(wanted);
    std::set<std::pair<core::Program, search::Sample>> known;
    for (StoredTrial& row : store.trials(wanted.front().example)) {
      known.emplace(std::move(row.trial.program), row.trial.sample);
    }
    for (const search::Trial& trial : wanted.first(own)) {
      if (known.emplace(trial.program, trial.sample).second) missing.push_back(trial);
    }
    wanted = wanted.subspan(own);
  }
  return missing;
}

void record_trials(LabelStore& store, std::span<const search::Trial> trials, search::Evaluator& evaluator,
                   const RecordOptions& options) {
  TrialBatches batches(evaluator, &store, options);
  while (!trials.empty()) {
    const auto own = trials.first(first_example_end(trials));
    const task::ExampleId& example = own.front().example;
    batches.add({example, {own.begin(), own.end()}, std::vector<int>(own.size(), store.state(example).rounds)});
    trials = trials.subspan(own.size());
  }
  batches.finish();
}

}  // namespace polar::labels
