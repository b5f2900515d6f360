#pragma once
// Decorators around an Evaluator. Each refers to the inner evaluator, which must outlive it and stay the same; none is
// thread-safe.

#include <cstddef>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/error.h"
#include "search/evaluator.h"

namespace polar::search {

/// evaluator.evaluate(trials), checked: throws Error when the number of outcomes differs, or naming example and program
/// when a log probability or margin is not a number or no position was scored, so that no such outcome reaches a tree
/// or a store.
std::vector<Outcome> evaluate_checked(Evaluator& evaluator, std::span<const Trial> trials);

/// Hash over the whole trial; tables compare the trial itself.
struct TrialHash {
  std::size_t operator()(const Trial& trial) const noexcept;
};

/// Answers a trial met before from memory, and a trial repeated within a batch once. The key is the whole trial: pool,
/// grader and settings are those of the one inner evaluator. Grows with every distinct trial.
class CachingEvaluator final : public Evaluator {
 public:
  explicit CachingEvaluator(Evaluator& inner) : inner_(inner) {}
  std::vector<Outcome> evaluate(std::span<const Trial> trials) override;
  std::size_t size() const { return outcomes_.size(); }

 private:
  Evaluator& inner_;
  std::unordered_map<Trial, Outcome, TrialHash> outcomes_;
};

/// Counts what passed through it successfully.
class CountingEvaluator final : public Evaluator {
 public:
  explicit CountingEvaluator(Evaluator& inner) : inner_(inner) {}
  std::vector<Outcome> evaluate(std::span<const Trial> trials) override;
  std::size_t batches() const { return batches_; }
  std::size_t trials() const { return trials_; }
  std::size_t distinct_trials() const { return seen_.size(); }
  std::size_t layer_executions() const { return layer_executions_; }  ///< sum of program lengths

 private:
  Evaluator& inner_;
  std::size_t batches_ = 0;
  std::size_t trials_ = 0;
  std::size_t layer_executions_ = 0;
  std::unordered_set<Trial, TrialHash> seen_;
};

class BudgetExceeded : public core::Error {
 public:
  using core::Error::Error;
};

/// Passes at most `budget_trials` trials in all. A batch that would go beyond is refused whole with BudgetExceeded,
/// before any of it runs.
class BudgetEvaluator final : public Evaluator {
 public:
  BudgetEvaluator(Evaluator& inner, std::size_t budget_trials) : inner_(inner), budget_trials_(budget_trials) {}
  std::vector<Outcome> evaluate(std::span<const Trial> trials) override;
  std::size_t left() const { return budget_trials_ - used_; }

 private:
  Evaluator& inner_;
  std::size_t budget_trials_;
  std::size_t used_ = 0;
};

}  // namespace polar::search
