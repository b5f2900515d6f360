#pragma once
// Resume: the same algorithm over an evaluator that answers from the store first.

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

#include "labels/label_store.h"
#include "search/evaluator.h"

namespace polar::labels {

/// Answers trials the store has, and passes only the missing ones on, in order and in one batch (none: the inner
/// evaluator is not called). The key is complete: weights, task, fingerprint and stop rule are the store's, which
/// refuses to open for others; example, program and sample are the trial's; the root seed counts for sampled answers.
/// It records nothing: the search's recorder does. An example's trials are read when it is first asked for, so what is
/// recorded later is not looked up again. Store and inner evaluator must outlive it. Not thread-safe.
class StoreFirstEvaluator final : public search::Evaluator {
 public:
  StoreFirstEvaluator(const LabelStore& store, search::Evaluator& inner) : store_(store), inner_(inner) {}
  std::vector<search::Outcome> evaluate(std::span<const search::Trial> trials) override;
  /// Trials answered from the store so far.
  std::int64_t answered() const { return answered_; }

 private:
  using Recorded = std::map<std::pair<core::Program, search::Sample>, search::Outcome>;
  const Recorded& recorded(const task::ExampleId& example);

  const LabelStore& store_;
  search::Evaluator& inner_;
  std::unordered_map<task::ExampleId, Recorded> recorded_;
  std::int64_t answered_ = 0;
};

}  // namespace polar::labels
