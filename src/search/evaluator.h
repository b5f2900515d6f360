#pragma once
// What the search sees: trials in, outcomes out. Never a tensor.

#include <span>
#include <string>
#include <vector>

#include "core/program.h"
#include "task/example.h"

namespace polar::search {

/// How an answer is drawn: greedy (temperature 0) or the index-th sample at a temperature.
struct Sample {
  double temperature = 0;
  int index = 0;
  friend auto operator<=>(const Sample&, const Sample&) = default;
};

/// One (example, program) pair to be answered and graded. What "rollout" counts.
struct Trial {
  task::ExampleId example;
  core::Program program;
  Sample sample;
  friend bool operator==(const Trial&, const Trial&) = default;
};

struct Outcome {
  bool correct = false;
  double answer_log_prob = 0;  ///< natural log of the probability of the reference answer and its end; ≤ 0
  int answer_tokens = 1;       ///< scored positions, terminator included: answer_log_prob / answer_tokens is per token
  double margin = 0;           ///< min over scored positions of logit(required) − best other
  int layers = 0;              ///< K
  std::string answer = {};     ///< extracted answer (possibly cut short under the `verdict` stop rule)
  bool answer_final = false;   ///< whether `answer` is what full generation would give
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Batch in, batch out, same order. Decorators (answering from a store first, say) implement the same interface.
/// Implementations need not be thread-safe. Throws core::Error; then none of the batch counts as evaluated.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual std::vector<Outcome> evaluate(std::span<const Trial> trials) = 0;
};

/// evaluator.evaluate(trials), checked: throws Error when the number of outcomes differs, or naming example and program
/// when a log probability or margin is not a number or no position was scored, so that no such outcome reaches a tree
/// or a store.
std::vector<Outcome> evaluate_checked(Evaluator& evaluator, std::span<const Trial> trials);

}  // namespace polar::search
