#include "labels/rejudge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <queue>
#include <utility>

#include "core/error.h"
#include "labels/record_trials.h"
#include "task/splits.h"

namespace polar::labels {
namespace {

class Rejudging {
 public:
  Rejudging(const JudgedLabels& labels, search::Evaluator& evaluator, const RejudgeOptions& options)
      : labels_(labels),
        options_(options),
        batches_(evaluator, options.store, {options.trials_per_batch, options.progress, options.stop},
                 [this](const ExampleTrials&, std::span<const search::Outcome> outcomes) { count(outcomes); }) {}

  std::vector<RejudgeCount> run() {
    for (const JudgedExample& example : labels_.examples) add(example);
    batches_.finish();
    std::vector<RejudgeCount> counts;
    for (auto& [level, count] : counts_) counts.push_back(std::move(count));
    return counts;
  }

 private:
  void add(const JudgedExample& example) {
    const std::vector<JudgedTrial>& judged = judged_.emplace(&example, labels_.trials(example.id)).second;
    ExampleTrials trials{example.id, {}, {}, example.done};
    for (const JudgedTrial& trial : judged) {
      trials.trials.push_back({example.id, trial.program, trial.sample});
      trials.rounds.push_back(trial.round);
    }
    batches_.add(std::move(trials));
  }

  /// The example that was added first of those not counted yet.
  void count(std::span<const search::Outcome> outcomes) {
    const auto& [example, judged] = judged_.front();
    RejudgeCount count{example->level};
    bool known = false, solved_before = false, solved_now = false;
    for (std::size_t i = 0; i < judged.size(); ++i) {
      const JudgedTrial& trial = judged[i];
      if (!trial.correct) continue;
      const bool valid = *trial.correct, now = outcomes[i].correct, flipped = now != valid;
      ++(valid ? count.valid : count.invalid);
      (valid ? count.valid_flipped : count.invalid_flipped) += flipped ? 1 : 0;
      if (trial.sample.temperature == 0) {
        known = true;
        solved_before = solved_before || valid;
        solved_now = solved_now || now;
      }
      if (flipped && options_.on_flip)
        options_.on_flip({example->id, example->level, trial.program, valid, now, trial.margin, trial.sample});
    }
    if (known) {
      ++(solved_before ? count.solved : count.unsolved);
      if (solved_before != solved_now) ++(solved_before ? count.lost : count.gained);
    }
    RejudgeCount& of_level = counts_[count.level];
    of_level.level = count.level;
    of_level += count;
    if (options_.on_example) options_.on_example(count);
    judged_.pop();
  }

  const JudgedLabels& labels_;
  const RejudgeOptions& options_;
  std::queue<std::pair<const JudgedExample*, std::vector<JudgedTrial>>> judged_;  ///< added and not yet counted
  TrialBatches batches_;
  std::map<std::string, RejudgeCount> counts_;
};

}  // namespace

JudgedLabels to_judge(const ImportedLabels& labels) {
  JudgedLabels judged;
  std::unordered_map<task::ExampleId, std::optional<double>> initial_scores;
  for (const ImportedExample& row : labels.examples()) {
    judged.examples.push_back({row.example.id, row.example.level});
    initial_scores.emplace(row.example.id, row.initial_score);
  }
  const core::Program identity = core::Program::identity(labels.identity().depth);
  judged.trials = [&labels, identity, initial_scores = std::move(initial_scores)](const task::ExampleId& id) {
    std::vector<JudgedTrial> trials;
    bool listed = false;
    for (ImportedTrial& trial : labels.trials(id)) {
      listed = listed || trial.program == identity;
      trials.push_back({std::move(trial.program), trial.correct});
    }
    if (listed) return trials;
    const std::optional<double> score = initial_scores.at(id);
    trials.insert(trials.begin(), {identity, score ? std::optional(is_correct(*score)) : std::nullopt});
    return trials;
  };
  return judged;
}

JudgedLabels to_judge(const LabelStore& store, std::span<const StoredExample> examples) {
  JudgedLabels judged;
  for (const StoredExample& example : examples)
    judged.examples.push_back({example.id, example.level, store.state(example.id).done});
  judged.trials = [&store](const task::ExampleId& id) {
    std::vector<JudgedTrial> trials;
    for (StoredTrial& row : store.trials(id))
      trials.push_back(
          {std::move(row.trial.program), row.outcome.correct, row.outcome.margin, row.trial.sample, row.round});
    return trials;
  };
  return judged;
}

RejudgeCount& RejudgeCount::operator+=(const RejudgeCount& other) {
  valid += other.valid;
  valid_flipped += other.valid_flipped;
  invalid += other.invalid;
  invalid_flipped += other.invalid_flipped;
  solved += other.solved;
  lost += other.lost;
  unsolved += other.unsolved;
  gained += other.gained;
  return *this;
}

std::vector<StoredExample> tagged_examples(const ImportedLabels& labels, const QuestionSplits& splits) {
  std::vector<StoredExample> examples;
  for (ImportedExample& row : labels.examples()) {
    const auto found = splits.find(task::normalised_question(row.question));
    if (found != splits.end()) row.example.split = found->second;
    examples.push_back(std::move(row.example));
  }
  return examples;
}

StoreKind store_kind(std::span<const StoredExample> examples) {
  const auto test = std::ranges::count(examples, Split::kTest, &StoredExample::split);
  const auto all = static_cast<std::ptrdiff_t>(examples.size());
  if (test == 0) return StoreKind::kLabels;
  if (test == all) return StoreKind::kOracle;
  throw core::UsageError(
      fmt::format("--out: expected examples of test only, or none of them, as no store holds both, found {} of {}: "
                  "import them apart",
                  test, all));
}

std::int64_t trials_to_judge(const JudgedLabels& labels) {
  std::int64_t trials = 0;
  for (const JudgedExample& example : labels.examples)
    trials += static_cast<std::int64_t>(labels.trials(example.id).size());
  return trials;
}

std::vector<RejudgeCount> rejudge(const JudgedLabels& labels, search::Evaluator& evaluator,
                                  const RejudgeOptions& options) {
  return Rejudging(labels, evaluator, options).run();
}

}  // namespace polar::labels
