// Reading imported labels.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/digest.h"
#include "labels/imported_labels.h"
#include "labels/imported_state.h"
#include "labels/label_store_state.h"

namespace polar::labels {
namespace {

/// One row an example; NULL, where the file gives no initial score or nothing is solved, counts for neither. A base
/// that is right is a valid program of ?1 layers, listed or not.
constexpr const char* kImportedCounts =
    "SELECT split, level, COUNT(*), 0, SUM(shortest IS NOT NULL), SUM(trials), SUM(correct), SUM(base), "
    "SUM(base AND shortest < ?1), SUM(NOT base AND shortest IS NOT NULL), SUM(NOT base AND shortest < ?1), "
    "SUM(shortest) FROM "
    "(SELECT split, level, base, COUNT(program) AS trials, SUM(correct) AS correct, "
    " CASE WHEN base THEN MIN(?1, COALESCE(MIN(CASE WHEN correct THEN layers END), ?1)) "
    " ELSE MIN(CASE WHEN correct THEN layers END) END AS shortest FROM "
    " (SELECT examples.key AS example, split, level, initial_score > 0.5 AS base, trials.program, trials.correct, "
    "layers "
    "  FROM examples LEFT JOIN trials ON trials.example = examples.key "
    "  LEFT JOIN programs ON programs.key = trials.program) GROUP BY example) GROUP BY split, level";

void add_sorted(std::vector<std::string>& lines, core::Digest& digest) {
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) digest.update(line).update("\n");
  lines.clear();
}

}  // namespace

std::vector<std::string> ImportedLabels::problems() const {
  Statement query(state_->database,
                  "SELECT sources.name, sample, place, reason FROM problems "
                  "JOIN sources ON sources.key = problems.source ORDER BY problems.key",
                  "reading its problems");
  std::vector<std::string> problems;
  while (query.next()) {
    problems.push_back(query.text(0) + ": " + to_string(ImportProblem{query.integer(1), query.text(2), query.text(3)}));
  }
  return problems;
}

std::vector<ImportedExample> ImportedLabels::examples() const {
  Statement query(state_->database,
                  "SELECT id, split, level, question, answer, initial_score FROM examples ORDER BY key",
                  "reading its examples");
  std::vector<ImportedExample> examples;
  while (query.next()) {
    examples.push_back({{query.text(0), split_of(query.text(1)), query.text(2)},
                        query.text(3),
                        query.text(4),
                        query.is_null(5) ? std::nullopt : std::optional(query.real(5))});
  }
  return examples;
}

std::vector<ImportedTrial> ImportedLabels::trials(const task::ExampleId& example) const {
  Statement query(state_->database,
                  "SELECT programs.text, correct FROM examples JOIN trials ON trials.example = examples.key "
                  "JOIN programs ON programs.key = trials.program WHERE examples.id = ?",
                  "reading an example's programs");
  query.bind(1, std::string_view(example));
  std::vector<ImportedTrial> trials;
  while (query.next()) trials.push_back({program_of(state_->database, query.text(0)), query.integer(1) != 0});
  std::sort(trials.begin(), trials.end(),
            [](const ImportedTrial& a, const ImportedTrial& b) { return a.program < b.program; });
  return trials;
}

std::vector<LevelCount> ImportedLabels::level_counts() const {
  Statement query(state_->database, kImportedCounts, "counting its programs");
  query.bind(1, state_->identity.depth);
  return collect_counts(query);
}

LabelDigests ImportedLabels::digests() const {
  core::Digest digest;
  digest.update(fmt::format("polar imported labels 1\nlayers\t{}\n", state_->identity.depth));
  Statement query(state_->database,
                  "SELECT examples.id, programs.text, correct, initial_score FROM examples "
                  "LEFT JOIN trials ON trials.example = examples.key "
                  "LEFT JOIN programs ON programs.key = trials.program ORDER BY examples.id",
                  "computing its digest");
  LabelDigests result;
  std::vector<std::string> lines;
  std::string current;
  while (query.next()) {
    std::string id = query.text(0);
    if (id != current) {
      add_sorted(lines, digest);
      if (!query.is_null(3)) lines.push_back(fmt::format("{}\tinitial\t{}", id, hexadecimal(query.real(3))));
    }
    if (!query.is_null(1)) {
      lines.push_back(fmt::format("{}\t{}\t{}", id, query.text(1), query.integer(2)));
      ++result.trials;
    }
    current = std::move(id);
  }
  add_sorted(lines, digest);
  result.verdicts = digest.finish();
  return result;
}

}  // namespace polar::labels
