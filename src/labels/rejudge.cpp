#include "labels/rejudge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/error.h"
#include "search/evaluators.h"
#include "task/splits.h"

namespace polar::labels {
namespace {

bool has_identity(const std::vector<ImportedTrial>& programs, const core::Program& identity) {
  return std::any_of(programs.begin(), programs.end(), [&](const ImportedTrial& t) { return t.program == identity; });
}

class Rejudging {
 public:
  Rejudging(const ImportedLabels& labels, search::Evaluator& evaluator, const RejudgeOptions& options)
      : labels_(labels), evaluator_(evaluator), options_(options) {}

  std::vector<RejudgeCount> run() {
    for (const ImportedExample& example : labels_.examples()) {
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
    task::ExampleId example;
    std::string level;
    std::size_t first = 0, count = 0;
  };

  void add(const ImportedExample& example) {
    const std::vector<ImportedTrial> programs = labels_.trials(example.example.id);
    const core::Program identity = core::Program::identity(labels_.identity().depth);
    const bool listed = has_identity(programs, identity);
    shares_.push_back({example.example.id, example.example.level, trials_.size(), programs.size() + (listed ? 0 : 1)});
    if (!listed) {
      const auto score = example.initial_score;
      add(example.example.id, identity, score ? std::optional(is_correct(*score)) : std::nullopt);
    }
    for (const ImportedTrial& program : programs) add(example.example.id, program.program, program.correct);
  }

  void add(const task::ExampleId& example, const core::Program& program, std::optional<bool> imported) {
    trials_.push_back({example, program, {}});
    imported_.push_back(imported);
  }

  void evaluate() {
    if (options_.stop != nullptr && options_.stop->load()) {
      throw core::Interrupted(
          "re-judging interrupted: what was recorded (--out) is kept, and the same command goes on");
    }
    const std::vector<search::Outcome> outcomes =
        trials_.empty() ? std::vector<search::Outcome>() : search::evaluate_checked(evaluator_, trials_);
    for (const Share& share : shares_) {
      RejudgeCount& count = counts_[share.level];
      count.level = share.level;
      for (std::size_t i = share.first; i < share.first + share.count; ++i) {
        if (!imported_[i]) continue;
        const bool valid = *imported_[i], flipped = outcomes[i].correct != valid;
        ++(valid ? count.valid : count.invalid);
        (valid ? count.valid_flipped : count.invalid_flipped) += flipped ? 1 : 0;
        if (!flipped || !options_.on_flip) continue;
        options_.on_flip({share.example, share.level, trials_[i].program, valid, outcomes[i].correct});
      }
      record(share, outcomes);
    }
    if (options_.progress) options_.progress(static_cast<std::int64_t>(trials_.size()));
    trials_.clear();
    imported_.clear();
    shares_.clear();
  }

  void record(const Share& share, const std::vector<search::Outcome>& outcomes) const {
    if (options_.recorder == nullptr) return;
    if (share.count > 0) {
      options_.recorder->record(share.example, 0, std::span(trials_).subspan(share.first, share.count),
                                std::span(outcomes).subspan(share.first, share.count));
    }
    options_.recorder->mark_done(share.example);
  }

  const ImportedLabels& labels_;
  search::Evaluator& evaluator_;
  const RejudgeOptions& options_;
  std::vector<search::Trial> trials_;
  std::vector<std::optional<bool>> imported_;  ///< verdicts, where they are known
  std::vector<Share> shares_;
  std::map<std::string, RejudgeCount> counts_;
};

}  // namespace

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

std::int64_t trials_to_judge(const ImportedLabels& labels) {
  const core::Program identity = core::Program::identity(labels.identity().depth);
  std::int64_t trials = 0;
  for (const ImportedExample& example : labels.examples()) {
    const std::vector<ImportedTrial> programs = labels.trials(example.example.id);
    trials += static_cast<std::int64_t>(programs.size()) + (has_identity(programs, identity) ? 0 : 1);
  }
  return trials;
}

std::vector<RejudgeCount> rejudge(const ImportedLabels& labels, search::Evaluator& evaluator,
                                  const RejudgeOptions& options) {
  return Rejudging(labels, evaluator, options).run();
}

}  // namespace polar::labels
