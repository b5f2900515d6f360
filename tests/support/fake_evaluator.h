#pragma once
// Evaluators that need no model.

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/seed.h"
#include "search/evaluator.h"

namespace polar::test {

/// Answers each trial by a rule.
class RuleEvaluator final : public search::Evaluator {
 public:
  using Rule = std::function<search::Outcome(const search::Trial&)>;
  explicit RuleEvaluator(Rule rule) : rule_(std::move(rule)) {}

  std::vector<search::Outcome> evaluate(std::span<const search::Trial> trials) override {
    std::vector<search::Outcome> outcomes;
    for (const search::Trial& trial : trials) outcomes.push_back(rule_(trial));
    return outcomes;
  }

 private:
  Rule rule_;
};

/// An arbitrary pure function of the trial: about `valid_share` of the programs are correct.
inline search::Outcome arbitrary_outcome(const search::Trial& trial, double valid_share = 0.05) {
  const core::CounterRandom draw(core::derive_seed(7, trial.program.text(), trial.example));
  search::Outcome outcome;
  outcome.correct = draw.uniform_at(0) < valid_share;
  outcome.answer_log_prob = std::log(draw.uniform_at(1));
  outcome.answer_tokens = 1 + static_cast<int>(draw.at(2) % 3);
  outcome.margin = draw.uniform_at(3) * 4 - (outcome.correct ? 0 : 4);
  outcome.layers = trial.program.length();
  outcome.answer = outcome.correct ? "right" : "wrong";
  outcome.answer_final = true;
  return outcome;
}

}  // namespace polar::test
