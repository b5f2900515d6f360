#include "experiment/scan_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "eval/levels.h"
#include "eval/metrics.h"
#include "eval/table_text.h"

namespace polar::experiment {
namespace {

constexpr std::size_t kBestRows = 10;

std::string scan_mode(const std::optional<core::Edit>& edit) {
  if (!edit) return "identity";
  return edit->is_skip() ? "skip" : "repeat";
}

bool is_identity(const ScannedProgram& program) {
  return !program.edit;
}

double bounded_log_prob(const search::Outcome& outcome) {
  return std::max(outcome.answer_log_prob, kLeastLogProb);
}

/// The examples of one level, and the draws of its bootstrap.
class ScanLevel {
 public:
  ScanLevel(std::string level, std::vector<std::size_t> examples, std::uint64_t seed, int resamples)
      : level_(std::move(level)),
        examples_(std::move(examples)),
        resamples_(examples_.size(), core::derive_seed(seed, "scan", level_), resamples),
        counts_(resamples_.sums(std::vector<double>(examples_.size(), 1.0))) {}

  ScanRow row(const ScannedProgram& program, const ScannedProgram& identity) const {
    ScanRow row{.mode = scan_mode(program.edit), .edit = program.edit, .program = program.program, .level = level_};
    row.n = static_cast<int>(examples_.size());
    std::vector<double> changes, log_prob_changes;
    int right = 0;
    for (const std::size_t i : examples_) {
      const search::Outcome &now = program.outcomes[i], &before = identity.outcomes[i];
      right += now.correct ? 1 : 0;
      row.to_right += now.correct && !before.correct ? 1 : 0;
      row.to_wrong += !now.correct && before.correct ? 1 : 0;
      changes.push_back((now.correct ? 1.0 : 0.0) - (before.correct ? 1.0 : 0.0));
      log_prob_changes.push_back(bounded_log_prob(now) - bounded_log_prob(before));
    }
    row.accuracy = static_cast<double>(right) / row.n;
    row.accuracy_interval = eval::wilson_interval(right, row.n);
    row.p = eval::mcnemar_exact_p(row.to_right, row.to_wrong);
    std::tie(row.change, row.change_interval) = mean_of(changes);
    std::tie(row.log_prob_change, row.log_prob_interval) = mean_of(log_prob_changes);
    return row;
  }

 private:
  std::pair<double, std::optional<eval::Interval>> mean_of(const std::vector<double>& values) const {
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    return {mean, eval::ratio_interval(resamples_.sums(values), counts_)};
  }

  std::string level_;
  std::vector<std::size_t> examples_;
  eval::Resamples resamples_;
  std::vector<double> counts_;  ///< examples of each resample
};

void check_scanned(std::span<const ScannedProgram> programs, std::size_t examples) {
  if (examples == 0) throw core::Error("scan: expected at least one example, found none");
  const auto identities = std::ranges::count_if(programs, is_identity);
  if (identities != 1)
    throw core::Error(
        fmt::format("scan: expected the identity once among the programs, found it {} times", identities));
  for (const ScannedProgram& program : programs)
    if (program.outcomes.size() != examples)
      throw core::Error(fmt::format("scan: program {}: expected {} outcomes, found {}", program.program.text(),
                                    examples, program.outcomes.size()));
}

void correct_p(std::span<ScanRow> rows) {
  std::vector<double> values;
  for (const ScanRow& row : rows)
    if (row.edit) values.push_back(row.p);
  const std::vector<double> corrected = eval::holm_correction(values);
  auto next = corrected.begin();
  for (ScanRow& row : rows)
    if (row.edit) row.p_holm = *next++;
}

std::string interval_csv(double value, const std::optional<eval::Interval>& interval) {
  return interval ? fmt::format("{},{},{}", value, interval->low, interval->high) : fmt::format("{},,", value);
}

std::vector<std::string> best_line(const ScanRow& row) {
  const auto signed_interval = [](double value, const std::optional<eval::Interval>& around, double unit, int digits) {
    std::string text = fmt::format("{:+.{}f}", unit * value, digits);
    if (around) text += fmt::format(" [{:+.{}f}, {:+.{}f}]", unit * around->low, digits, unit * around->high, digits);
    return text;
  };
  return {row.program.text(),
          row.edit ? core::to_string(*row.edit) : "–",
          fmt::format("{:.1f} [{:.1f}, {:.1f}]", 100 * row.accuracy, 100 * row.accuracy_interval.low,
                      100 * row.accuracy_interval.high),
          signed_interval(row.change, row.change_interval, 100, 1),
          fmt::format("{}", row.to_right),
          fmt::format("{}", row.to_wrong),
          fmt::format("{:.2g}", row.p_holm),
          signed_interval(row.log_prob_change, row.log_prob_interval, 1, 3)};
}

std::string best_table(std::vector<const ScanRow*> rows) {
  std::ranges::stable_sort(rows, std::ranges::greater(),
                           [](const ScanRow* row) { return std::pair(row->accuracy, row->log_prob_change); });
  if (rows.size() > kBestRows) rows.resize(kBestRows);
  std::string text = eval::markdown_head({"program", "edit", "right, %", "change, points", "wrong to right",
                                          "right to wrong", "p, Holm", "log-probability"});
  for (const ScanRow* row : rows) text += eval::markdown_line(best_line(*row));
  return text;
}

}  // namespace

std::vector<ScanRow> scan_rows(std::span<const ScannedProgram> programs, std::span<const std::string> levels,
                               std::uint64_t seed, int resamples) {
  check_scanned(programs, levels.size());
  const ScannedProgram& identity = *std::ranges::find_if(programs, is_identity);
  std::vector<ScanRow> rows;
  for (const std::string& name : eval::levels_of(levels, std::identity())) {
    std::vector<std::size_t> examples;
    for (std::size_t i = 0; i < levels.size(); ++i)
      if (levels[i] == name || name == eval::kAllLevels) examples.push_back(i);
    const ScanLevel level(name, std::move(examples), seed, resamples);
    for (const ScannedProgram& program : programs) rows.push_back(level.row(program, identity));
    correct_p(std::span(rows).last(programs.size()));
  }
  return rows;
}

std::string scan_csv(std::span<const ScanRow> rows) {
  std::string text =
      "mode,first,last,layers,program,level,n,accuracy,accuracy_low,accuracy_high,to_right,to_wrong,change,change_low,"
      "change_high,p,p_holm,log_prob_change,log_prob_low,log_prob_high\n";
  for (const ScanRow& row : rows) {
    const std::string block = row.edit ? fmt::format("{},{}", row.edit->first, row.edit->last()) : ",";
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", row.mode, block, row.program.length(),
                        eval::csv_field(row.program.text()), eval::csv_field(row.level), row.n,
                        interval_csv(row.accuracy, row.accuracy_interval), row.to_right, row.to_wrong,
                        interval_csv(row.change, row.change_interval), row.p, row.p_holm,
                        interval_csv(row.log_prob_change, row.log_prob_interval));
  }
  return text;
}

std::string scan_markdown(std::span<const ScanRow> rows, const std::string& title) {
  std::string text = fmt::format(
      "# {}\n\nEvery contiguous block of layers repeated once, and skipped once. Changes are against the unchanged "
      "model on the same examples; brackets hold 95 % intervals (Wilson; bootstrap over examples for changes; none "
      "where nothing varies). p: McNemar's exact test, corrected (Holm) over all programs. The best of many programs "
      "looks better than it is on the examples it was chosen on: check it on others.\n",
      title);
  for (const char* mode : {"identity", "repeat", "skip"}) {
    std::vector<const ScanRow*> own;
    for (const ScanRow& row : rows)
      if (row.mode == mode && row.level == eval::kAllLevels) own.push_back(&row);
    if (own.empty()) continue;
    const bool identity = std::string_view(mode) == "identity";
    const std::string head = identity ? "Unchanged model" : fmt::format("Best of {} {}s", own.size(), mode);
    text += fmt::format("\n## {}\n\n{}", head, best_table(std::move(own)));
  }
  return text;
}

}  // namespace polar::experiment
