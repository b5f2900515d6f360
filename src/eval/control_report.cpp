#include "eval/control_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/file.h"
#include "eval/label_report.h"
#include "eval/metrics.h"
#include "eval/table_text.h"

namespace polar::eval {
namespace {

/// The figures of one analysis; names in order of appearance, all levels last.
struct ControlTable {
  std::string analysis;
  std::vector<std::string> levels, keys;
  std::map<std::pair<std::string, std::string>, std::pair<const LabelFigure*, std::string>> cells;  ///< by level, key
};

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// `examples`: the level's; 0 where they were not counted.
std::string control_cell(const LabelFigure& figure, std::int64_t examples) {
  if (figure.analysis == "counts") return fmt::format("{:.6g}", figure.value);
  if (figure.analysis == "p_value") return fmt::format("{:.3g}", figure.value);
  std::string text = fmt::format("{:.1f}", 100 * figure.value);
  if (figure.ci_low) text += fmt::format(" [{:.1f}, {:.1f}]", 100 * *figure.ci_low, 100 * *figure.ci_high);
  return figure.n == examples ? text : fmt::format("{} (n={})", text, figure.n);
}

std::vector<ControlTable> tables_of(const std::vector<LabelFigure>& figures) {
  std::vector<ControlTable> tables;
  std::map<std::string, std::int64_t> examples;
  for (const LabelFigure& figure : figures)
    if (figure.analysis == "counts" && figure.key == "examples") examples[figure.level] = figure.n;
  for (const LabelFigure& figure : figures) {
    auto table = std::ranges::find(tables, figure.analysis, &ControlTable::analysis);
    if (table == tables.end()) table = tables.insert(table, ControlTable{figure.analysis, {}, {}, {}});
    add_name(table->levels, figure.level);
    add_name(table->keys, figure.key);
    table->cells.emplace(std::pair(figure.level, figure.key),
                         std::pair(&figure, control_cell(figure, examples[figure.level])));
  }
  for (ControlTable& table : tables)
    std::ranges::stable_partition(table.levels, [](const std::string& level) { return level != kAllLevels; });
  return tables;
}

/// "any_of_n (percent)"
std::string heading(const ControlTable& table) {
  const bool share = table.analysis != "counts" && table.analysis != "p_value";
  return table.analysis + (share ? " (percent)" : "");
}

std::vector<std::vector<std::string>> lines_of(const ControlTable& table) {
  std::vector<std::vector<std::string>> lines{{"level"}};
  std::ranges::copy(table.keys, std::back_inserter(lines[0]));
  for (const std::string& level : table.levels) {
    std::vector<std::string>& line = lines.emplace_back();
    line.push_back(level_name(level));
    for (const std::string& key : table.keys) {
      const auto cell = table.cells.find({level, key});
      line.push_back(cell == table.cells.end() ? "-" : cell->second.second);
    }
  }
  return lines;
}

std::vector<std::string> notes_of(const ControlTable& table) {
  std::vector<std::string> notes;
  for (const std::string& level : table.levels) {
    for (const std::string& key : table.keys) {
      const auto cell = table.cells.find({level, key});
      if (cell == table.cells.end() || cell->second.first->note.empty()) continue;
      notes.push_back(fmt::format("{}, {}: {}", level_name(level), key, cell->second.first->note));
    }
  }
  return notes;
}

}  // namespace

std::string control_markdown(const ControlReport& report) {
  std::string text = fmt::format("# {}\n\n{}\n", report.title, report.sentence);
  for (const ControlTable& table : tables_of(report.figures)) {
    const auto lines = lines_of(table);
    text += fmt::format("\n## {}\n\n{}", heading(table), markdown_head(lines[0]));
    for (std::size_t i = 1; i < lines.size(); ++i) text += markdown_line(lines[i]);
    const std::vector<std::string> notes = notes_of(table);
    if (!notes.empty()) text += '\n';
    for (const std::string& note : notes) text += fmt::format("- {}\n", note);
  }
  return text;
}

std::string control_console(const ControlReport& report) {
  std::string text = fmt::format("{}\n{}\n", report.title, report.sentence);
  for (const ControlTable& table : tables_of(report.figures)) {
    text += fmt::format("\n{}\n{}", heading(table), aligned(lines_of(table)));
    for (const std::string& note : notes_of(table)) text += fmt::format("{}\n", note);
  }
  return text;
}

void write_control(const std::filesystem::path& folder, const ControlReport& report) {
  core::ensure_folder(folder);
  core::write_file(folder / (report.name + ".csv"), labels_csv(report.figures));
  core::write_file(folder / (report.name + ".md"), control_markdown(report));
}

}  // namespace polar::eval
