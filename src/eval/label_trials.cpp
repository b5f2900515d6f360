// Figures of which each pair of example and tried program is one observation.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "eval/label_group.h"

namespace polar::eval {
namespace {

/// 100 K/D to the nearest multiple of 5, halves up, in whole numbers; -1 below 60 and 1000 above 120.
int depth_bin(int layers, int depth) {
  const int bin = (200 * layers + 5 * depth) / (10 * depth) * 5;
  if (bin < 60) return -1;
  return bin > 120 ? 1000 : bin;
}

std::string depth_name(int bin) {
  if (bin < 0) return "<60";
  return bin > 120 ? ">120" : fmt::format("{}", bin);
}

constexpr int kMostExtraShown = 8;

std::string extra_name(int extra) {
  return extra > kMostExtraShown ? fmt::format("{}+", kMostExtraShown + 1) : fmt::format("{}", extra);
}

/// Pairs by some property of the program.
struct PairCounts {
  PerExample valid, tried;
};

/// One ratio valid/tried for each value of `bin`.
template <typename Bin, typename Name>
void add_valid_given(const LabelGroup& group, const std::string& analysis, Bin bin, Name name, FigureList& figures) {
  std::map<int, PairCounts> counts;
  const std::size_t n = group.examples.size();
  const auto at = [&](std::uint32_t number) -> PairCounts& {
    PairCounts& found = counts[bin(group.program(number))];
    if (found.tried.empty()) found = {PerExample(n, 0), PerExample(n, 0)};
    return found;
  };
  for (std::size_t i = 0; i < n; ++i) {
    for (std::uint32_t number : group.examples[i]->tried) ++at(number).tried[i];
    for (std::uint32_t number : group.examples[i]->valid) ++at(number).valid[i];
  }
  for (auto& [value, pairs] : counts)
    figures.ratio(analysis, name(value), pairs.valid, figures.denominator(std::move(pairs.tried)));
}

/// Pairs of a pool that satisfy `holds` among those that satisfy `counts`.
template <typename Holds, typename Counts>
void add_pool_share(const LabelGroup& group, Pool pool, const std::string& analysis, const std::string& key,
                    Counts counts, Holds holds, FigureList& figures) {
  PerExample hits, all;
  for (const ExampleLabels* labels : group.examples) {
    double hit = 0, total = 0;
    for (std::uint32_t number : programs_of(*labels, pool)) {
      if (!counts(number)) continue;
      ++total;
      hit += holds(number) ? 1 : 0;
    }
    hits.push_back(hit);
    all.push_back(total);
  }
  figures.ratio(analysis, key, hits, figures.denominator(std::move(all)));
}

/// In segment form with at most four layers a segment. A repeated block cannot be cut, skipped layers can.
bool in_paper_form(const LabelGroup& group, const LabelProgram& program, int max_runs) {
  if (!program.parsed || program.most_runs > max_runs) return false;
  const std::span edits(group.table->edits.data() + program.first_edit, program.edits);
  return std::ranges::all_of(edits,
                             [](const core::Segment& edit) { return edit.runs == 0 || edit.length <= kPaperSegment; });
}

}  // namespace

void add_trial_figures(const LabelGroup& group, FigureList& figures) {
  const int depth = group.table->depth;
  add_valid_given(
      group, "valid_given_extra",
      [](const LabelProgram& program) { return std::min(program.extra_executions(), kMostExtraShown + 1); }, extra_name,
      figures);
  add_valid_given(
      group, "valid_given_depth", [&](const LabelProgram& program) { return depth_bin(program.layers, depth); },
      depth_name, figures);
  for (Pool pool : {Pool::kTried, Pool::kValid}) {
    add_pool_share(
        group, pool, "no_parse", std::string(to_string(pool)), [](std::uint32_t) { return true; },
        [&](std::uint32_t number) { return !group.program(number).parsed; }, figures);
  }
}

void add_emittable_figures(const LabelGroup& group, const std::optional<predict::TargetOptions>& predictor,
                           FigureList& figures) {
  const auto changed = [&](std::uint32_t number) { return !group.program(number).identity; };
  const auto paper = [&](std::uint32_t number) { return in_paper_form(group, group.program(number), 2); };
  const auto add = [&](const std::string& key, auto holds) {
    add_pool_share(group, Pool::kValid, "emittable", key, changed, holds, figures);
  };
  const auto add_examples = [&](const std::string& key, auto holds) {
    std::int64_t hits = 0, solvable = 0;
    for (const ExampleLabels* labels : group.examples) {
      solvable += labels->solvable() ? 1 : 0;
      hits +=
          std::ranges::any_of(labels->valid, [&](std::uint32_t number) { return !changed(number) || holds(number); });
    }
    figures.share("emittable_examples", key, hits, solvable);
  };
  add("paper", paper);
  for (int runs : {3, 4, 5}) {
    add(fmt::format("repeat-{}", runs),
        [&](std::uint32_t number) { return in_paper_form(group, group.program(number), runs); });
  }
  add("any_runs", [&](std::uint32_t number) {
    return in_paper_form(group, group.program(number), static_cast<int>(core::Program::kMaxSteps));
  });
  add_examples("paper", paper);
  if (!predictor) return;
  std::map<std::uint32_t, bool> known;  // each distinct valid program is parsed once
  const auto emits = [&](std::uint32_t number) {
    const auto [found, is_new] = known.try_emplace(number, false);
    if (is_new) found->second = predict::parse_after_prefix(group.program(number).program, *predictor).has_value();
    return found->second;
  };
  add("predictor", emits);
  add_examples("predictor", emits);
}

}  // namespace polar::eval
