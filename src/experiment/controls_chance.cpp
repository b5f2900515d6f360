#include "experiment/controls_chance.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "eval/chance_control.h"

namespace polar::experiment {
namespace {

constexpr std::size_t kWarningsShown = 20;

class ChanceControl {
 public:
  ChanceControl(ControlRun& run, const ChanceControlOptions& options)
      : run_(run),
        options_(options),
        same_([&grader = run.grader()](std::string_view a, std::string_view b) { return grader.same(a, b); }) {}

  eval::ControlReport report() {
    const labels::LabelStore store = run_.recorded("chance", recorded_programs());
    std::vector<eval::AnsweredExample> examples;
    for (const SearchedExample& one : run_.examples()) examples.push_back(answered(one, store));
    eval::ChanceFigureOptions figures;
    figures.same = same_;
    figures.permutations = options_.permutations;
    figures.root_seed = run_.config().seed;
    figures.resamples = run_.config().eval.bootstrap;
    return {
        "chance", "Chance control of " + run_.description(),
        fmt::format("Questions for which any of the tried programs is right, and the same answers graded against the "
                    "references of other questions of the level, none of them an equal answer ({} permutations): luck "
                    "explains that much, programs at most the excess.",
                    options_.permutations),
        eval::chance_figures(examples, figures), std::move(warnings_)};
  }

 private:
  std::vector<search::Trial> recorded_programs() const {
    std::vector<search::Trial> trials;
    for (const SearchedExample& one : run_.examples()) {
      for (const labels::StoredTrial& row : one.trials) trials.push_back(row.trial);
    }
    return trials;
  }

  eval::AnsweredExample answered(const SearchedExample& one, const labels::LabelStore& store) {
    std::map<core::Program, search::Outcome> outcomes;
    for (labels::StoredTrial& row : store.trials(one.example.id))
      outcomes.emplace(std::move(row.trial.program), std::move(row.outcome));
    eval::AnsweredExample example{one.example.level, one.example.answer, {}, one.identity};
    for (const labels::StoredTrial& row : one.trials) {
      const search::Outcome& now = outcomes.at(row.trial.program);
      if (!now.answer_final)
        throw core::Error(fmt::format("example '{}', program {}: expected a whole answer, found one cut short",
                                      one.example.id, row.trial.program.text()));
      const bool right = eval::is_right(same_, now.answer, one.example.answer);
      if (right != row.outcome.correct || now.correct != row.outcome.correct) {
        ++example.disagreements;
        warn(row, now);
      }
      example.answers.push_back(now.answer);
    }
    return example;
  }

  void warn(const labels::StoredTrial& recorded, const search::Outcome& now) {
    if (warnings_.size() == kWarningsShown) warnings_.emplace_back("more disagreements are not listed");
    if (warnings_.size() > kWarningsShown) return;
    warnings_.push_back(fmt::format("{}, program {}: recorded as {}, judged {} now, with the answer '{}'",
                                    recorded.trial.example, recorded.trial.program.text(),
                                    recorded.outcome.correct ? "right" : "wrong", now.correct ? "right" : "wrong",
                                    now.answer));
  }

  ControlRun& run_;
  const ChanceControlOptions& options_;
  eval::SameAnswer same_;
  std::vector<std::string> warnings_;
};

}  // namespace

eval::ControlReport chance_control(ControlRun& run, const ChanceControlOptions& options) {
  if (options.permutations < 1)
    throw core::UsageError(fmt::format("--permutations: expected at least 1, found {}", options.permutations));
  return ChanceControl(run, options).report();
}

}  // namespace polar::experiment
