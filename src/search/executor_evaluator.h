#pragma once
// The evaluator behind every real search: runs trials with the executor and grades them.

#include <span>
#include <unordered_map>
#include <vector>

#include "exec/executor.h"
#include "search/evaluator.h"

namespace polar::search {

/// Encodes the examples once, with their drafts, and shares their common prompt tokens. Executor and encoder must
/// outlive it; the executor is used by one evaluator at a time. Throws core::Error for a trial of an unknown example.
class ExecutorEvaluator : public Evaluator {
 public:
  ExecutorEvaluator(exec::Executor& executor, exec::TaskEncoder& encoder, std::span<const task::Example> examples,
                    exec::StopRule stop);

  std::vector<Outcome> evaluate(std::span<const Trial> trials) override;

  /// As it is run. Throws as evaluate() does.
  const exec::EncodedExample& encoded(const task::ExampleId& example) const;
  /// Leading tokens that the prompts of all examples share.
  std::size_t shared_tokens() const { return shared_tokens_; }

 private:
  exec::Executor& executor_;
  exec::GenerationRules rules_;
  std::unordered_map<task::ExampleId, exec::EncodedExample> examples_;
  std::size_t shared_tokens_ = 0;
};

}  // namespace polar::search
