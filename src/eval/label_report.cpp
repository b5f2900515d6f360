#include "eval/label_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/file.h"
#include "eval/metrics.h"
#include "eval/table_text.h"

namespace polar::eval {
namespace {

enum class Unit { kPercent, kNumber };

/// How an analysis is shown.
struct Section {
  const char* analysis;
  Unit unit;
  const char* title;
  const char* text;
};

constexpr Section kSections[] = {
    {"counts", Unit::kNumber, "What was searched",
     "unfinished: searches that have not ended; base_unknown: the unchanged model was not tried; rollouts_least and "
     "_most: of one example. Where these differ, as with transfer's pilot, polar analyse --budget compares at one "
     "budget."},
    {"solvable_within_depth", Unit::kPercent, "Solvable within a depth",
     "Share of examples with a valid program of at most so many percent of the model's layer executions."},
    {"solvable_within_extra", Unit::kPercent, "Solvable within extra executions",
     "Share of examples with a valid program of at most so many executions beyond the first of each layer."},
    {"shortest_layers", Unit::kNumber, "Layer executions of the shortest valid program",
     "CC: the unchanged model is right; WC: it is wrong and another program right."},
    {"shortest_unique", Unit::kNumber, "Distinct layers of the shortest valid program", ""},
    {"shorter_exists", Unit::kPercent, "A shorter valid program exists",
     "Fewer executions than the model has layers. W→C over all that the unchanged model gets wrong, and over those of "
     "them that are solvable."},
    {"rescued", Unit::kPercent, "Rescued", "Of the examples that the unchanged model gets wrong."},
    {"needs", Unit::kPercent, "Needs an operation",
     "Share of solvable (rescued) examples whose every valid program repeats, or skips, a layer. An upper bound: what "
     "was not tried does not count."},
    {"shortest_uses", Unit::kPercent, "The shortest valid program uses an operation", ""},
    {"valid_given_extra", Unit::kPercent, "P(valid) by extra executions",
     "Share of valid ones among the tried programs with exactly so many extra executions."},
    {"valid_given_depth", Unit::kPercent, "Accuracy by executed depth",
     "Share of valid ones among the tried programs, by executions in percent of the model's layers (nearest 5)."},
    {"segment_length", Unit::kPercent, "Layers a segment",
     "operation/programs/layers. shortest: one program an example; valid and tried: all."},
    {"segment_runs", Unit::kPercent, "Extra runs a repeated segment", "programs/extra runs."},
    {"consecutive_layers", Unit::kPercent, "Segment length by consecutive layers",
     "operation/programs/layers of the segment/consecutive layers with that operation around it."},
    {"edit_entropy", Unit::kNumber, "Entropy of segments (bits)", ""},
    {"edit_entropy_share", Unit::kPercent, "Entropy in percent of the largest possible", ""},
    {"edit_gini", Unit::kNumber, "Gini coefficient of segments",
     "0: all segments equally frequent; 1: one segment only."},
    {"valid_programs", Unit::kNumber, "Valid programs an example", ""},
    {"valid_programs_share", Unit::kPercent, "Examples by number of valid programs", ""},
    {"cover", Unit::kPercent, "Examples covered by k programs",
     "Chosen greedily on these examples; what was not tried on an example counts as not covering it."},
    {"overlap", Unit::kPercent, "Overlap of valid programs",
     "valid_elsewhere: of the programs valid on one example, share valid on another that tried them; expected: share "
     "of valid ones among all tried; jaccard: mean overlap of two examples' sets."},
    {"emittable", Unit::kPercent, "Valid programs that a predictor can emit",
     "The identity left out. paper: segments of at most 4 layers, skipped, kept or run twice; repeat-n: run up to n "
     "times; predictor: this run's."},
    {"emittable_examples", Unit::kPercent, "Solvable examples with a valid program that a predictor can emit", ""},
    {"no_parse", Unit::kPercent, "Programs outside segment form", ""},
    {"layer_skip", Unit::kPercent, "Programs that skip each layer",
     "programs/layer; offered: of the search space, every program alike."},
    {"layer_repeat", Unit::kPercent, "Programs that repeat each layer", "programs/layer."},
    {"layer_skip_ratio", Unit::kNumber, "Skipped by valid programs, over tried and over offered ones",
     "Above 1: more often than the search tried it, or the space offers it."},
    {"layer_repeat_ratio", Unit::kNumber, "Repeated by valid programs, over tried and over offered ones", ""},
    {"replay_solved", Unit::kPercent, "Solvable within the first r trials", ""},
    {"replay_shorter", Unit::kPercent, "A shorter valid program within the first r trials",
     "Of the examples that the unchanged model gets right."},
};

/// Borrows the figures. Names come in order of appearance.
class LabelIndex {
 public:
  explicit LabelIndex(const std::vector<LabelFigure>& figures) {
    const auto add = [](std::vector<std::string>& names, const std::string& name) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    };
    for (const LabelFigure& figure : figures) {
      add(sets_, figure.set);
      if (figure.level != kAllLevels) add(levels_, figure.level);
      if (figure.set == "all" && figure.level == kAllLevels) keys_[figure.analysis].push_back(figure.key);
      by_name_.emplace(std::tuple(figure.analysis, figure.set, figure.level, figure.key), &figure);
    }
    levels_.emplace_back(kAllLevels);
  }
  const std::vector<std::string>& sets() const { return sets_; }
  const std::vector<std::string>& levels() const { return levels_; }
  std::vector<std::string> keys(const std::string& analysis) const {
    const auto found = keys_.find(analysis);
    return found == keys_.end() ? std::vector<std::string>() : found->second;
  }
  const LabelFigure* find(const std::string& analysis, const std::string& set, const std::string& level,
                          const std::string& key) const {
    const auto found = by_name_.find({analysis, set, level, key});
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  std::vector<std::string> sets_, levels_;
  std::map<std::string, std::vector<std::string>> keys_;  ///< of all levels pooled, which have every level's
  std::map<std::tuple<std::string, std::string, std::string, std::string>, const LabelFigure*> by_name_;
};

std::string shown(const LabelFigure* figure, Unit unit) {
  if (!figure) return kNone;
  const double scale = unit == Unit::kPercent ? 100 : 1;
  const int digits = unit == Unit::kPercent ? 1 : 2;
  if (!figure->ci_low && unit == Unit::kNumber) return fmt::format("{:.6g}", figure->value);
  if (!figure->ci_low) return fmt::format("{:.{}f}", scale * figure->value, digits);
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", scale * figure->value, digits, scale * *figure->ci_low, digits,
                     scale * *figure->ci_high, digits);
}

std::string set_name(const std::string& set) {
  if (set == "all") return "every program";
  if (set == "skip_only" || set == "loop_only") return fmt::format("{} only, of this search", set.substr(0, 4));
  return fmt::format("{} (search of its own)", set.substr(set.find(':') + 1));
}

std::string solved_table(const LabelIndex& index) {
  std::vector<std::string> cells{"level", "examples", "base"};
  for (const std::string& set : index.sets()) cells.push_back(set_name(set));
  std::string text =
      "\n## Solvable examples by programs allowed (percent)\n\nAn oracle: at least one recorded program was right. A "
      "set filtered from this search had fewer trials than a search of its own.\n\n" +
      markdown_head(cells);
  for (const std::string& level : index.levels()) {
    const LabelFigure* all = index.find("solved", "all", level, "any");
    cells = {level_name(level), all ? fmt::format("{}", all->n) : kNone,
             shown(index.find("base", "all", level, "right"), Unit::kPercent)};
    for (const std::string& set : index.sets())
      cells.push_back(shown(index.find("solved", set, level, "any"), Unit::kPercent));
    text += markdown_line(cells);
  }
  return text;
}

std::string section_table(const LabelIndex& index, const Section& section) {
  const std::vector<std::string> keys = index.keys(section.analysis);
  if (keys.empty()) return {};
  std::vector<std::string> cells{""};
  for (const std::string& level : index.levels()) cells.push_back(level_name(level));
  std::string text = fmt::format("\n## {}{}\n\n", section.title, section.unit == Unit::kPercent ? " (percent)" : "");
  if (*section.text) text += fmt::format("{}\n\n", section.text);
  text += markdown_head(cells);
  for (const std::string& key : keys) {
    cells = {key};
    for (const std::string& level : index.levels())
      cells.push_back(shown(index.find(section.analysis, "all", level, key), section.unit));
    const LabelFigure* figure = index.find(section.analysis, "all", std::string(kAllLevels), key);
    if (!figure->note.empty()) cells.front() += fmt::format(": `{}`", figure->note);
    text += markdown_line(cells);
  }
  return text;
}

/// A column of the console table.
struct Column {
  const char* head;
  const char* analysis;
  const char* key;
  Unit unit;
};
constexpr Column kColumns[] = {
    {"base", "base", "right", Unit::kPercent},
    {"solvable", "solved", "any", Unit::kPercent},
    {"rescued", "rescued", "of_wrong", Unit::kPercent},
    {"shorter C>C", "shorter_exists", "CC", Unit::kPercent},
    {"W>C of wrong", "shorter_exists", "WC_of_wrong", Unit::kPercent},
    {"of rescued", "shorter_exists", "WC_of_rescued", Unit::kPercent},
    {"layers C>C", "shortest_layers", "CC", Unit::kNumber},
    {"W>C", "shortest_layers", "WC", Unit::kNumber},
    {"valid each", "valid_programs", "mean_all", Unit::kNumber},
    {"emittable", "emittable", "paper", Unit::kPercent},
};

std::string console_cell(const LabelFigure* figure, Unit unit) {
  return figure ? fmt::format("{:.1f}", (unit == Unit::kPercent ? 100 : 1) * figure->value) : "-";
}

}  // namespace

std::string labels_csv(const std::vector<LabelFigure>& figures) {
  std::string text = "analysis,set,level,key,n,value,ci_low,ci_high,note\n";
  for (const LabelFigure& figure : figures)
    text += fmt::format("{},{},{},{},{},{},{},{},{}\n", figure.analysis, csv_field(figure.set), csv_field(figure.level),
                        csv_field(figure.key), figure.n, figure.value, csv_number(figure.ci_low),
                        csv_number(figure.ci_high), csv_field(figure.note));
  return text;
}

std::string labels_json(const std::vector<LabelFigure>& figures) {
  using Ordered = nlohmann::ordered_json;
  const auto number = [](const std::optional<double>& value) { return value ? Ordered(*value) : Ordered(nullptr); };
  Ordered rows = Ordered::array();
  for (const LabelFigure& figure : figures)
    rows.push_back({{"analysis", figure.analysis},
                    {"set", figure.set},
                    {"level", figure.level},
                    {"key", figure.key},
                    {"n", figure.n},
                    {"value", figure.value},
                    {"ci_low", number(figure.ci_low)},
                    {"ci_high", number(figure.ci_high)},
                    {"note", figure.note}});
  return rows.dump(1, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

std::string labels_markdown(const std::vector<LabelFigure>& figures, const std::string& title) {
  const LabelIndex index(figures);
  std::string text = fmt::format(
      "# {}\n\nFrom recorded trials; nothing was run for it. Brackets hold 95 % intervals: Wilson's for shares of "
      "examples, bootstrap over examples for the rest. \"All levels\" pools the examples, so a level weighs by its "
      "size. A valid program is one whose recorded answer was right; a program that was not tried on an example counts "
      "as not valid for it.\n",
      title);
  text += solved_table(index);
  for (const Section& section : kSections) text += section_table(index, section);
  return text;
}

std::string labels_console(const std::vector<LabelFigure>& figures, bool levels) {
  const LabelIndex index(figures);
  std::vector<std::vector<std::string>> lines{{"level", "examples"}};
  for (const Column& column : kColumns) lines[0].emplace_back(column.head);
  for (const std::string& set : index.sets())
    if (set != "all") lines[0].push_back(set);
  for (const std::string& level : index.levels()) {
    if (!levels && level != kAllLevels) continue;
    const LabelFigure* solved = index.find("solved", "all", level, "any");
    std::vector<std::string>& line = lines.emplace_back();
    line = {level == kAllLevels ? "all" : level, solved ? fmt::format("{}", solved->n) : "-"};
    for (const Column& column : kColumns)
      line.push_back(console_cell(index.find(column.analysis, "all", level, column.key), column.unit));
    for (const std::string& set : index.sets())
      if (set != "all") line.push_back(console_cell(index.find("solved", set, level, "any"), Unit::kPercent));
  }
  return aligned(lines) +
         "percent, but for layers and valid programs an example; skip_only, loop_only and searches: solvable with "
         "their programs alone\n";
}

void write_labels(const std::filesystem::path& folder, const std::string& stem, const std::vector<LabelFigure>& figures,
                  const std::string& title) {
  core::ensure_folder(folder);
  core::write_file(folder / (stem + ".csv"), labels_csv(figures));
  core::write_file(folder / (stem + ".md"), labels_markdown(figures, title));
}

}  // namespace polar::eval
