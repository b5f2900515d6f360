#include "search/executor_evaluator.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace polar::search {

ExecutorEvaluator::ExecutorEvaluator(exec::Executor& executor, exec::TaskEncoder& encoder,
                                     std::span<const task::Example> examples, exec::StopRule stop)
    : executor_(executor), rules_{&encoder.grader(), encoder.stop_strings(), encoder.max_new_tokens(), stop} {
  std::vector<exec::EncodedExample> encoded;
  encoded.reserve(examples.size());
  for (const task::Example& example : examples) encoded.push_back(encoder.encode(example));
  std::vector<text::Token> shared = exec::shared_prompt(encoded);
  shared_tokens_ = shared.size();
  executor_.set_shared_prompt(std::move(shared));
  for (exec::EncodedExample& example : encoded) examples_.emplace(example.id, std::move(example));
}

std::vector<Outcome> ExecutorEvaluator::evaluate(std::span<const Trial> trials) {
  std::vector<exec::Request> requests;
  requests.reserve(trials.size());
  for (const Trial& trial : trials)
    requests.push_back(
        {&encoded(trial.example), trial.program, trial.sample.temperature, trial.sample.index, &rules_, true});
  const std::vector<exec::Answer> answers = executor_.answer(requests);
  std::vector<Outcome> outcomes;
  outcomes.reserve(trials.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const exec::Answer& answer = answers[i];
    outcomes.push_back({answer.correct, answer.answer_log_prob, answer.scored_positions, answer.margin,
                        trials[i].program.length(), answer.answer, answer.answer_final});
  }
  return outcomes;
}

const exec::EncodedExample& ExecutorEvaluator::encoded(const task::ExampleId& example) const {
  const auto found = examples_.find(example);
  if (found != examples_.end()) return found->second;
  throw core::Error(fmt::format("evaluator: expected an example of this task, found the id '{}'", example));
}

}  // namespace polar::search
