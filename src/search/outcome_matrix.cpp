#include "search/outcome_matrix.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace polar::search {

namespace {

std::vector<const RecordedTrial*> by_program(const SearchResult& result) {
  std::vector<const RecordedTrial*> trials;
  for (const RecordedTrial& trial : result.trials) trials.push_back(&trial);
  std::ranges::sort(trials, {}, [](const RecordedTrial* trial) -> const core::Program& { return trial->program; });
  return trials;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

}  // namespace

OutcomeMatrix outcome_matrix(std::span<const SearchResult> results) {
  OutcomeMatrix matrix;
  for (const SearchResult& result : results) {
    const std::vector<const RecordedTrial*> trials = by_program(result);
    std::vector<core::Program> programs;
    for (const RecordedTrial* trial : trials) programs.push_back(trial->program);
    if (matrix.examples.empty())
      matrix.programs = std::move(programs);
    else if (programs != matrix.programs)
      throw core::Error(
          fmt::format("outcome matrix: expected example {} to be tried on the {} programs of {}, found {} "
                      "programs, not all the same; only an exhaustive search makes a full matrix",
                      result.example, matrix.programs.size(), matrix.examples.front(), programs.size()));
    matrix.examples.push_back(result.example);
    for (const RecordedTrial* trial : trials) matrix.outcomes.push_back(trial->outcome);
  }
  return matrix;
}

std::string outcomes_csv(const OutcomeMatrix& matrix) {
  std::string text = "example,program,correct,answer_log_prob,margin,layers\n";
  for (std::size_t i = 0; i < matrix.examples.size(); ++i) {
    for (std::size_t j = 0; j < matrix.programs.size(); ++j) {
      const Outcome& outcome = matrix.at(i, j);
      text +=
          fmt::format("{},\"{}\",{},{},{},{}\n", quoted(matrix.examples[i]), matrix.programs[j].text(),
                      outcome.correct ? 1 : 0, outcome.answer_log_prob, outcome.margin, matrix.programs[j].length());
    }
  }
  return text;
}

}  // namespace polar::search
