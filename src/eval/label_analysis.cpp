#include "eval/label_analysis.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/seed.h"
#include "eval/label_group.h"
#include "eval/levels.h"
#include "eval/metrics.h"

namespace polar::eval {
namespace {

void check_options(const LabelTable& table, const LabelAnalysisOptions& options) {
  if (options.budget < 0)
    throw core::UsageError(
        fmt::format("label analysis: budget: expected at least 0 (0 = all), found {}", options.budget));
  if (options.budget > 0 && !table.ordered)
    throw core::UsageError(
        fmt::format("label analysis: budget: expected 0 for labels that were imported, judged again or not: they tell "
                    "no order of trials; found {}; replay a search of polar's own",
                    options.budget));
  if (options.resamples < 2)
    throw core::UsageError(fmt::format("label analysis: resamples: expected at least 2, found {}", options.resamples));
  if (options.space && options.space->depth() != table.depth)
    throw core::UsageError(fmt::format("label analysis: expected a space of {} layers, as the labels', found {}",
                                       table.depth, options.space->depth()));
}

const std::string& level_of(const ExampleLabels& labels) {
  return labels.example->level;
}

LabelGroup group_of(const LabelTable& table, const std::vector<ExampleLabels>& labels, const std::string& set,
                    const std::string& level, const LabelAnalysisOptions& options) {
  LabelGroup group{&table, set, level, {}, nullptr, options.root_seed};
  for (const ExampleLabels& own : labels)
    if (level == kAllLevels || own.example->level == level) group.examples.push_back(&own);
  // The same draws for every set, so that their intervals differ by the programs alone.
  const std::uint64_t seed = core::derive_seed(options.root_seed, "label analysis", level);
  group.resamples = std::make_shared<Resamples>(group.examples.size(), seed, options.resamples);
  return group;
}

/// Every level's figures of one set. `add` appends those of a group.
template <typename Add>
void add_levels(const LabelTable& table, ProgramSet programs, const std::string& set,
                const LabelAnalysisOptions& options, Add add, std::vector<LabelFigure>& all) {
  const std::vector<ExampleLabels> labels = labels_within(table, options.budget, programs);
  if (labels.empty()) return;
  for (const std::string& level : levels_of(labels, level_of)) {
    const LabelGroup group = group_of(table, labels, set, level, options);
    FigureList figures(group);
    add(group, figures);
    std::ranges::move(figures.take(), std::back_inserter(all));
  }
}

}  // namespace

std::vector<LabelFigure> analyse_labels(const LabelTable& table, const LabelAnalysisOptions& options) {
  check_options(table, options);
  std::optional<OfferedRates> offered;
  if (options.space && options.offered) offered = offered_rates(*options.space, options.root_seed);
  std::vector<LabelFigure> all;
  const auto add_everything = [&](const LabelGroup& group, FigureList& figures) {
    add_example_figures(group, figures);
    add_trial_figures(group, figures);
    add_emittable_figures(group, options.predictor, figures);
    add_cover_figures(group, figures);
    add_overlap_figures(group, figures);
    add_layer_figures(group, offered ? &*offered : nullptr, figures);
    add_segment_figures(group, figures);
    add_diversity_figures(group, figures);
  };
  add_levels(table, ProgramSet::kAll, "all", options, add_everything, all);
  for (ProgramSet set : {ProgramSet::kSkipOnly, ProgramSet::kLoopOnly})
    add_levels(table, set, std::string(to_string(set)), options, add_example_figures, all);
  return all;
}

std::vector<LabelFigure> analyse_separate_search(const LabelTable& table, std::string_view name,
                                                 const LabelAnalysisOptions& options) {
  check_options(table, options);
  std::vector<LabelFigure> all;
  add_levels(table, ProgramSet::kAll, fmt::format("search:{}", name), options, add_example_figures, all);
  return all;
}

}  // namespace polar::eval
