#include "eval/control_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "core/file.h"
#include "eval/label_report.h"
#include "eval/metrics.h"
#include "eval/table_text.h"

namespace polar::eval {
namespace {

constexpr const char* kOnlySet = "all";

struct Row {
  std::string level, set;
};

struct Cell {
  std::string text, note;
};

/// The figures of one analysis; names in order of appearance, all levels last.
struct ControlTable {
  std::string analysis;
  std::vector<std::string> levels, sets, keys;
  std::map<std::tuple<std::string, std::string, std::string>, Cell> cells;  ///< by level, set, key

  bool has_sets() const { return sets != std::vector<std::string>{kOnlySet}; }

  /// nullptr when there is none.
  const Cell* find(const Row& row, const std::string& key) const {
    const auto found = cells.find({row.level, row.set, key});
    return found == cells.end() ? nullptr : &found->second;
  }

  /// Level by level, those with a figure.
  std::vector<Row> rows() const {
    std::vector<Row> found;
    for (const std::string& level : levels) {
      for (const std::string& set : sets) {
        const Row row{level, set};
        if (std::ranges::any_of(keys, [&](const std::string& key) { return find(row, key) != nullptr; }))
          found.push_back(row);
      }
    }
    return found;
  }

  /// "easy", "batch": what a row is called.
  std::vector<std::string> names(const Row& row) const {
    std::vector<std::string> named{level_name(row.level)};
    if (has_sets()) named.push_back(row.set);
    return named;
  }
};

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// `examples`: the level's; 0 where they were not counted.
std::string cell_text(const LabelFigure& figure, std::int64_t examples) {
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
    if (table == tables.end()) table = tables.insert(table, ControlTable{figure.analysis, {}, {}, {}, {}});
    add_name(table->levels, figure.level);
    add_name(table->sets, figure.set);
    add_name(table->keys, figure.key);
    table->cells.emplace(std::tuple(figure.level, figure.set, figure.key),
                         Cell{cell_text(figure, examples[figure.level]), figure.note});
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
  if (table.has_sets()) lines[0].emplace_back("set");
  std::ranges::copy(table.keys, std::back_inserter(lines[0]));
  for (const Row& row : table.rows()) {
    std::vector<std::string>& line = lines.emplace_back(table.names(row));
    for (const std::string& key : table.keys) {
      const Cell* cell = table.find(row, key);
      line.push_back(cell ? cell->text : "-");
    }
  }
  return lines;
}

std::vector<std::string> notes_of(const ControlTable& table) {
  std::vector<std::string> notes;
  for (const Row& row : table.rows()) {
    for (const std::string& key : table.keys) {
      const Cell* cell = table.find(row, key);
      if (!cell || cell->note.empty()) continue;
      notes.push_back(fmt::format("{}, {}: {}", fmt::join(table.names(row), ", "), key, cell->note));
    }
  }
  return notes;
}

std::string list_of(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += fmt::format("{}- {}\n", text.empty() ? "\n" : "", item);
  return text;
}

}  // namespace

LabelFigure examples_figure(std::string level, std::size_t n) {
  return {"counts", kOnlySet, std::move(level), "examples", static_cast<std::int64_t>(n), static_cast<double>(n)};
}

std::string control_markdown(const ControlReport& report) {
  std::string text = fmt::format("# {}\n\n{}\n", report.title, report.text);
  for (const ControlTable& table : tables_of(report.figures)) {
    const auto lines = lines_of(table);
    text += fmt::format("\n## {}\n\n{}", heading(table), markdown_head(lines[0]));
    for (std::size_t i = 1; i < lines.size(); ++i) text += markdown_line(lines[i]);
    text += list_of(notes_of(table));
  }
  return text + list_of(report.remarks);
}

std::string control_console(const ControlReport& report) {
  std::string text = fmt::format("{}\n{}\n", report.title, report.text);
  for (const ControlTable& table : tables_of(report.figures)) {
    text += fmt::format("\n{}\n{}", heading(table), aligned(lines_of(table)));
    for (const std::string& note : notes_of(table)) text += fmt::format("{}\n", note);
  }
  return text + list_of(report.remarks);
}

void write_control(const std::filesystem::path& folder, const ControlReport& report) {
  core::ensure_folder(folder);
  core::write_file(folder / (report.name + ".csv"), labels_csv(report.figures));
  core::write_file(folder / (report.name + ".md"), control_markdown(report));
}

}  // namespace polar::eval
