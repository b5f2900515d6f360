#pragma once
// What an evaluation recorded: one row per example and policy, in evaluation.jsonl.

#include <filesystem>
#include <string>
#include <vector>

#include "core/program.h"
#include "task/example.h"

namespace polar::eval {

/// One program that a policy proposed for an example, and what came of running it, greedily but for base_sampling. A
/// cascade has one candidate: what it answered, charged with the layers and tokens of every program it ran.
struct Candidate {
  core::Program program;  ///< whose answer it is
  std::string answer;     ///< extracted; empty when the text held none
  bool correct = false;   ///< by the task's grader
  double confidence = 0;  ///< of the model in its answer, finite; compared within one row only
  int layers = 0;         ///< layer executions a token
  int unique_layers = 0;  ///< distinct layers
  int new_tokens = 0;     ///< generated, the stop token included
  int executions = 0;     ///< layer executions of the whole answer: layers a token times tokens, summed over programs
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct EvaluationRow {
  task::ExampleId example;
  std::string split;  ///< "test", or the name of an out-of-distribution set
  std::string level;  ///< empty when the data set has none
  std::string policy;
  bool oracle = false;            ///< the policy sees the reference answer
  std::vector<Candidate> ranked;  ///< never empty; ranked[0] is what the policy runs
  std::string question;
  std::string reference;
  friend bool operator==(const EvaluationRow&, const EvaluationRow&) = default;
};

/// Replaces the file atomically with one JSON object a line. Invalid UTF-8 becomes U+FFFD. Throws core::Error naming
/// path and reason, also for a row without candidates and a confidence that is not finite.
void write_rows(const std::filesystem::path& path, const std::vector<EvaluationRow>& rows);

/// Reads it back, in order. Blank lines are skipped. Throws core::Error "file:line: …" for invalid JSON, a missing
/// field, a wrong type, a bad program and a row without candidates.
std::vector<EvaluationRow> read_rows(const std::filesystem::path& path);

}  // namespace polar::eval
