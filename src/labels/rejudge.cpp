#include "labels/rejudge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "search/evaluators.h"
#include "task/splits.h"

namespace polar::labels {
namespace {

class Rejudging {
 public:
  Rejudging(const JudgedLabels& labels, search::Evaluator& evaluator, const RejudgeOptions& options)
      : labels_(labels), evaluator_(evaluator), options_(options) {}

  std::vector<RejudgeCount> run() {
    for (const JudgedExample& example : labels_.examples) {
      add(example);
      if (static_cast<int>(trials_.size()) >= options_.trials_per_batch) evaluate();
    }
    evaluate();
    std::vector<RejudgeCount> counts;
    for (auto& [level, count] : counts_) counts.push_back(std::move(count));
    return counts;
  }

 private:
  /// One example's part of the batch.
  struct Share {
    const JudgedExample* example = nullptr;
    std::size_t first = 0, end = 0;
  };

  void add(const JudgedExample& example) {
    const std::size_t first = trials_.size();
    for (JudgedTrial& trial : labels_.trials(example.id)) {
      trials_.push_back({example.id, trial.program, trial.sample});
      judged_.push_back(std::move(trial));
    }
    shares_.push_back({&example, first, trials_.size()});
  }

  void evaluate() {
    if (options_.stop != nullptr && options_.stop->load()) {
      throw core::Interrupted("judging again was interrupted: what was recorded is kept, and the same command goes on");
    }
    const std::vector<search::Outcome> outcomes =
        trials_.empty() ? std::vector<search::Outcome>() : search::evaluate_checked(evaluator_, trials_);
    for (const Share& share : shares_) {
      count(share, outcomes);
      record(share, outcomes);
    }
    if (options_.progress) options_.progress(static_cast<std::int64_t>(trials_.size()));
    trials_.clear();
    judged_.clear();
    shares_.clear();
  }

  void count(const Share& share, const std::vector<search::Outcome>& outcomes) {
    RejudgeCount count{share.example->level};
    bool known = false, solved_before = false, solved_now = false;
    for (std::size_t i = share.first; i < share.end; ++i) {
      const JudgedTrial& judged = judged_[i];
      if (!judged.correct) continue;
      const bool valid = *judged.correct, now = outcomes[i].correct, flipped = now != valid;
      ++(valid ? count.valid : count.invalid);
      (valid ? count.valid_flipped : count.invalid_flipped) += flipped ? 1 : 0;
      if (judged.sample.temperature == 0) {
        known = true;
        solved_before = solved_before || valid;
        solved_now = solved_now || now;
      }
      if (!flipped || !options_.on_flip) continue;
      options_.on_flip(
          {share.example->id, share.example->level, judged.program, valid, now, judged.margin, judged.sample});
    }
    if (known) {
      ++(solved_before ? count.solved : count.unsolved);
      if (solved_before != solved_now) ++(solved_before ? count.lost : count.gained);
    }
    RejudgeCount& of_level = counts_[count.level];
    of_level.level = count.level;
    of_level += count;
    if (options_.on_example) options_.on_example(count);
  }

  void record(const Share& share, const std::vector<search::Outcome>& outcomes) const {
    if (options_.recorder == nullptr) return;
    for (std::size_t first = share.first, end = first; first < share.end; first = end) {
      const int round = judged_[first].round;
      while (end < share.end && judged_[end].round == round) ++end;
      options_.recorder->record(share.example->id, round, std::span(trials_).subspan(first, end - first),
                                std::span(outcomes).subspan(first, end - first));
    }
    if (share.example->done) options_.recorder->mark_done(share.example->id);
  }

  const JudgedLabels& labels_;
  search::Evaluator& evaluator_;
  const RejudgeOptions& options_;
  std::vector<search::Trial> trials_;
  std::vector<JudgedTrial> judged_;  ///< of each trial
  std::vector<Share> shares_;
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
