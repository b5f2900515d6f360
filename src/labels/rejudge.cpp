#include "labels/rejudge.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "search/evaluators.h"

namespace polar::labels {
namespace {

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
    std::vector<ImportedTrial> programs = labels_.trials(example.example.id);
    const core::Program identity = core::Program::identity(labels_.identity().depth);
    const bool has_identity =
        std::any_of(programs.begin(), programs.end(), [&](const ImportedTrial& t) { return t.program == identity; });
    if (example.initial_score && !has_identity) {
      programs.insert(programs.begin(), {identity, is_correct(*example.initial_score)});
    }
    shares_.push_back({example.example.id, example.example.level, trials_.size(), programs.size()});
    for (ImportedTrial& program : programs) {
      trials_.push_back({example.example.id, std::move(program.program), {}});
      imported_.push_back(program.correct);
    }
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
        const bool flipped = outcomes[i].correct != imported_[i];
        ++(imported_[i] ? count.valid : count.invalid);
        (imported_[i] ? count.valid_flipped : count.invalid_flipped) += flipped ? 1 : 0;
        if (!flipped || !options_.on_flip) continue;
        options_.on_flip({share.example, share.level, trials_[i].program, imported_[i], outcomes[i].correct});
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
  std::vector<bool> imported_;
  std::vector<Share> shares_;
  std::map<std::string, RejudgeCount> counts_;
};

}  // namespace

std::vector<RejudgeCount> rejudge(const ImportedLabels& labels, search::Evaluator& evaluator,
                                  const RejudgeOptions& options) {
  return Rejudging(labels, evaluator, options).run();
}

}  // namespace polar::labels
