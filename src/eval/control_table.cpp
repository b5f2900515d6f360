#include "eval/control_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "eval/metrics.h"
#include "eval/table_text.h"

namespace polar::eval {
namespace {

std::string share_cell(const LabelFigure& figure) {
  std::string cell = fmt::format("{:.1f} of {}", 100 * figure.value, figure.n);
  if (figure.ci_low) cell += fmt::format(" [{:.1f}, {:.1f}]", 100 * *figure.ci_low, 100 * *figure.ci_high);
  return cell;
}

}  // namespace

std::string control_table(std::span<const LabelFigure> figures, std::string_view analysis) {
  using Line = std::pair<std::string, std::string>;  // level and set
  std::vector<Line> lines;
  std::vector<std::string> keys;
  std::map<std::pair<Line, std::string>, std::string> cells;
  for (const LabelFigure& figure : figures) {
    if (figure.analysis != analysis) continue;
    const Line line{figure.level, figure.set};
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
    if (std::ranges::find(keys, figure.key) == keys.end()) keys.push_back(figure.key);
    cells[{line, figure.key}] = share_cell(figure);
  }
  if (lines.empty()) return {};
  std::vector<std::string> head{"level", ""};
  for (const std::string& key : keys) head.push_back(key + ", %");
  std::string text = markdown_head(head);
  for (const Line& line : lines) {
    std::vector<std::string> row{line.first == kAllLevels ? "all levels" : line.first, line.second};
    for (const std::string& key : keys) {
      const auto found = cells.find({line, key});
      row.push_back(found == cells.end() ? "–" : found->second);
    }
    text += markdown_line(std::move(row));
  }
  return text;
}

}  // namespace polar::eval
