// Figures of which each example is one observation.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "eval/label_group.h"

namespace polar::eval {
namespace {

constexpr int kMostExtra = 8;

/// Examples for which `holds`.
template <typename Condition>
std::int64_t examples_where(const LabelGroup& group, Condition holds) {
  return std::ranges::count_if(group.examples, [&](const ExampleLabels* labels) { return holds(*labels); });
}

/// Whether one of the example's valid programs satisfies the condition.
template <typename Condition>
bool any_valid(const LabelGroup& group, const ExampleLabels& labels, Condition holds) {
  return std::ranges::any_of(labels.valid, [&](std::uint32_t number) { return holds(group.program(number)); });
}

template <typename Condition>
bool all_valid(const LabelGroup& group, const ExampleLabels& labels, Condition holds) {
  return !any_valid(group, labels, [&](const LabelProgram& program) { return !holds(program); });
}

struct Totals {
  std::int64_t examples, base_right, base_wrong, solvable, rescued;
};

Totals totals_of(const LabelGroup& group) {
  return {static_cast<std::int64_t>(group.examples.size()),
          examples_where(group, [](const ExampleLabels& labels) { return labels.base == true; }),
          examples_where(group, [](const ExampleLabels& labels) { return labels.base == false; }),
          examples_where(group, [](const ExampleLabels& labels) { return labels.solvable(); }),
          examples_where(group, [](const ExampleLabels& labels) { return labels.rescued(); })};
}

void add_counts(const LabelGroup& group, const Totals& totals, FigureList& figures) {
  double rollouts = 0, most = 0, least = std::numeric_limits<double>::infinity();
  std::set<std::uint32_t> programs;
  for (const ExampleLabels* labels : group.examples) {
    rollouts += labels->rollouts;
    most = std::max<double>(most, labels->rollouts);
    least = std::min<double>(least, labels->rollouts);
    programs.insert(labels->tried.begin(), labels->tried.end());
  }
  figures.count("counts", "examples", static_cast<double>(totals.examples));
  if (group.table->ends_known)
    figures.count(
        "counts", "unfinished",
        static_cast<double>(examples_where(group, [](const ExampleLabels& labels) { return !labels.example->done; })));
  figures.count("counts", "base_unknown", static_cast<double>(totals.examples - totals.base_right - totals.base_wrong));
  figures.count("counts", "rollouts", rollouts);
  figures.count("counts", "rollouts_least", group.examples.empty() ? 0 : least);
  figures.count("counts", "rollouts_most", most);
  figures.count("counts", "programs", static_cast<double>(programs.size()));
  figures.share("base", "right", totals.base_right, totals.base_right + totals.base_wrong);
  figures.share("solved", "any", totals.solvable, totals.examples);
  figures.share("rescued", "of_wrong", totals.rescued, totals.base_wrong);
}

void add_solvable_within(const LabelGroup& group, const Totals& totals, FigureList& figures) {
  for (const int percent : {90, 95, 100, 105, 110, 115}) {
    const auto hits = examples_where(group, [&](const ExampleLabels& labels) {
      return any_valid(group, labels, [&](const LabelProgram& program) {
        return 100 * program.layers <= percent * group.table->depth;
      });
    });
    figures.share("solvable_within_depth", fmt::format("{}", percent), hits, totals.examples);
  }
  for (int extra = 0; extra <= kMostExtra; ++extra) {
    const auto hits = examples_where(group, [&](const ExampleLabels& labels) {
      return any_valid(group, labels, [&](const LabelProgram& program) { return program.extra_executions() <= extra; });
    });
    figures.share("solvable_within_extra", fmt::format("{}", extra), hits, totals.examples);
  }
}

/// Which examples: C→C, W→C or all solvable ones.
struct Outset {
  const char* name;
  bool (*holds)(const ExampleLabels&);
};
constexpr Outset kOutsets[] = {
    {"CC", [](const ExampleLabels& labels) { return labels.base == true; }},
    {"WC", [](const ExampleLabels& labels) { return labels.rescued(); }},
    {"solvable", [](const ExampleLabels& labels) { return labels.solvable(); }},
};

void add_shortest(const LabelGroup& group, FigureList& figures) {
  for (const Outset& outset : kOutsets) {
    PerExample layers, unique, members;
    std::map<int, std::int64_t> histogram;
    for (const ExampleLabels* labels : group.examples) {
      const bool member = outset.holds(*labels);
      const LabelProgram* shortest = member ? &group.program(*labels->shortest) : nullptr;
      members.push_back(member ? 1 : 0);
      layers.push_back(shortest ? shortest->layers : 0);
      unique.push_back(shortest ? shortest->unique_layers : 0);
      if (shortest) ++histogram[shortest->layers];
    }
    const auto denominator = figures.denominator(std::move(members));
    figures.ratio("shortest_layers", outset.name, layers, denominator);
    figures.ratio("shortest_unique", outset.name, unique, denominator);
    if (&outset == &kOutsets[2]) continue;
    for (const auto& [count, hits] : histogram)
      figures.share("shortest_share", fmt::format("{}/{}", outset.name, count), hits,
                    static_cast<std::int64_t>(denominator.total));
  }
}

void add_shorter(const LabelGroup& group, const Totals& totals, FigureList& figures) {
  const auto of = [&](bool base) {
    return examples_where(group,
                          [&](const ExampleLabels& labels) { return labels.base == base && labels.first_shorter > 0; });
  };
  figures.share("shorter_exists", "CC", of(true), totals.base_right);
  figures.share("shorter_exists", "WC_of_wrong", of(false), totals.base_wrong);
  figures.share("shorter_exists", "WC_of_rescued", of(false), totals.rescued);
}

void add_needs(const LabelGroup& group, const Totals& totals, FigureList& figures) {
  struct Need {
    const char* name;
    bool (*uses)(const LabelProgram&);
  };
  constexpr Need kNeeds[] = {
      {"recurrence", [](const LabelProgram& program) { return program.repeats; }},
      {"skip", [](const LabelProgram& program) { return program.skips; }},
      {"both", [](const LabelProgram& program) { return program.repeats && program.skips; }},
  };
  for (const Need& need : kNeeds) {
    for (const bool only_rescued : {false, true}) {
      const auto member = [&](const ExampleLabels& labels) {
        return only_rescued ? labels.rescued() : labels.solvable();
      };
      const auto needing = examples_where(
          group, [&](const ExampleLabels& labels) { return member(labels) && all_valid(group, labels, need.uses); });
      const auto using_it = examples_where(group, [&](const ExampleLabels& labels) {
        return member(labels) && need.uses(group.program(*labels.shortest));
      });
      const std::string key = fmt::format("{}_of_{}", need.name, only_rescued ? "rescued" : "solvable");
      const std::int64_t n = only_rescued ? totals.rescued : totals.solvable;
      figures.share("needs", key, needing, n);
      figures.share("shortest_uses", key, using_it, n);
    }
  }
}

/// 1, 2, 4 … and the largest number of trials at which it is known of every finished example in question whether it was
/// found: examples of a pilot may have more trials than others. `first` gives the trial, 0 where there is none, nothing
/// for an example that is not in question.
template <typename First>
std::vector<int> replayed_budgets(const LabelGroup& group, First first) {
  int most = 0, known = std::numeric_limits<int>::max();
  for (const ExampleLabels* labels : group.examples) {
    const std::optional<int> found = first(*labels);
    if (!found) continue;
    most = std::max(most, labels->rollouts);
    if (*found == 0 && labels->example->done) known = std::min(known, labels->rollouts);
  }
  const int last = std::min(most, known);
  std::vector<int> budgets;
  for (int budget = 1; budget < last; budget *= 2) budgets.push_back(budget);
  if (last > 0) budgets.push_back(last);
  return budgets;
}

template <typename First>
void add_replayed(const LabelGroup& group, const char* table, std::int64_t n, First first, FigureList& figures) {
  for (const int budget : replayed_budgets(group, first)) {
    const auto found = examples_where(group, [&](const ExampleLabels& labels) {
      const std::optional<int> at = first(labels);
      return at && *at > 0 && *at <= budget;
    });
    figures.share(table, fmt::format("{}", budget), found, n);
  }
}

void add_replay(const LabelGroup& group, const Totals& totals, FigureList& figures) {
  add_replayed(
      group, "replay_solved", totals.examples,
      [](const ExampleLabels& labels) { return std::optional(labels.first_valid); }, figures);
  add_replayed(
      group, "replay_shorter", totals.base_right,
      [](const ExampleLabels& labels) {
        return labels.base == true ? std::optional(labels.first_shorter) : std::nullopt;
      },
      figures);
}

}  // namespace

void add_example_figures(const LabelGroup& group, FigureList& figures) {
  const Totals totals = totals_of(group);
  add_counts(group, totals, figures);
  add_solvable_within(group, totals, figures);
  add_shortest(group, figures);
  add_shorter(group, totals, figures);
  add_needs(group, totals, figures);
  if (group.table->ordered) add_replay(group, totals, figures);
}

}  // namespace polar::eval
