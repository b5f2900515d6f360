#include "search/evaluator.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace polar::search {

std::vector<Outcome> evaluate_checked(Evaluator& evaluator, std::span<const Trial> trials) {
  std::vector<Outcome> outcomes = evaluator.evaluate(trials);
  if (outcomes.size() != trials.size()) {
    throw core::Error(
        fmt::format("evaluator: expected one outcome for each of {} trials, found {}", trials.size(), outcomes.size()));
  }
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const Outcome& found = outcomes[i];
    if (!std::isnan(found.answer_log_prob) && !std::isnan(found.margin) && found.answer_tokens >= 1) continue;
    throw core::Error(fmt::format(
        "evaluator: example {}, program {}: expected numbers over at least one scored position, found answer_log_prob "
        "{}, margin {}, answer_tokens {}; check the model's weights and the execution dtype",
        trials[i].example, trials[i].program.text(), found.answer_log_prob, found.margin, found.answer_tokens));
  }
  return outcomes;
}

}  // namespace polar::search
