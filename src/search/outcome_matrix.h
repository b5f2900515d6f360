#pragma once
// Outcomes of the same programs on many examples, as an exhaustive search leaves them.

#include <span>
#include <string>
#include <vector>

#include "core/program.h"
#include "search/result.h"

namespace polar::search {

/// Row-major examples × programs.
struct OutcomeMatrix {
  std::vector<task::ExampleId> examples;
  std::vector<core::Program> programs;  ///< sorted
  std::vector<Outcome> outcomes;

  const Outcome& at(std::size_t example, std::size_t program) const {
    return outcomes[example * programs.size() + program];
  }
};

/// Throws Error naming the example that was tried on other programs than the first.
OutcomeMatrix outcome_matrix(std::span<const SearchResult> results);

/// "example,program,correct,answer_log_prob,margin,layers" and one line a cell. Numbers are the shortest decimal that
/// gives the same double; example and program are quoted (RFC 4180).
std::string outcomes_csv(const OutcomeMatrix& matrix);

}  // namespace polar::search
