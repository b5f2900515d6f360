#pragma once
// Examples and data sets.

#include <filesystem>
#include <string>
#include <vector>

#include "task/grader.h"

namespace polar::task {

using ExampleId = std::string;

/// One row of a data set. `level` is a name ("two-digit sums", "3"); empty when the set has none.
struct Example {
  ExampleId id;                      ///< unique in its data set
  std::string question;              ///< what is asked, choices not included
  std::string answer;                ///< the final answer only
  std::vector<std::string> choices;  ///< multiple choice only
  int label = -1;                    ///< index of the right choice, or -1
  std::string level;
  std::string source;
};

/// Reads JSONL rows {id, question, answer, choices?, label?, level? (string or integer), source?}. Throws Error
/// "file:line: field: expected …, found …" for the first bad row: invalid JSON, missing or empty field, wrong type,
/// control characters in or repetition of an id, label out of range, choices[label] != answer, an answer that `grader`
/// (where there is one) can never find right. Blank lines are skipped.
std::vector<Example> read_jsonl(const std::filesystem::path& path, const TextGrader* grader = nullptr);

/// Writes rows in the same form, atomically.
void write_jsonl(const std::filesystem::path& path, const std::vector<Example>& examples);

}  // namespace polar::task
