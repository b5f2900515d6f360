#include "eval/sampling_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "core/error.h"
#include "core/seed.h"
#include "eval/control_report.h"
#include "eval/label_group.h"
#include "eval/levels.h"

namespace polar::eval {
namespace {

using SampledGroup = std::vector<const SampledExample*>;
constexpr const char* kAgainstSampling = "search - sampling";

/// A way to spend n tries.
struct Way {
  std::string name;
  std::function<bool(const SampledExample&)> solves;
};
constexpr std::size_t kSearchWay = 1, kFirstSampling = 2;

bool any_of_first(const std::vector<bool>& verdicts, std::size_t count) {
  return std::find(verdicts.begin(), verdicts.begin() + static_cast<std::ptrdiff_t>(count), true) !=
         verdicts.begin() + static_cast<std::ptrdiff_t>(count);
}

std::vector<Way> ways_of(const std::vector<double>& temperatures) {
  std::vector<Way> ways{{"identity", [](const SampledExample& example) { return example.identity; }},
                        {"search", [](const SampledExample& example) { return example.search; }}};
  for (std::size_t t = 0; t < temperatures.size(); ++t) {
    ways.push_back({fmt::format("T={}", temperatures[t]), [t](const SampledExample& example) {
                      return any_of_first(example.samples[t], example.samples[t].size());
                    }});
  }
  for (std::size_t t = 0; t < temperatures.size(); ++t) {
    ways.push_back({fmt::format("greedy+T={}", temperatures[t]), [t](const SampledExample& example) {
                      return example.identity || any_of_first(example.samples[t], example.samples[t].size() - 1);
                    }});
  }
  return ways;
}

/// 1 where the way solves the example.
PerExample solved_by(const Way& way, const SampledGroup& group) {
  PerExample solved;
  for (const SampledExample* example : group) solved.push_back(way.solves(*example) ? 1 : 0);
  return solved;
}

std::vector<LabelFigure> counts_of(const SampledGroup& group) {
  const auto n = static_cast<std::int64_t>(group.size());
  double tries = 0;
  for (const SampledExample* example : group) tries += static_cast<double>(example->samples.front().size());
  return {examples_figure({}, group.size()), {"counts", {}, {}, "tries each", n, tries / static_cast<double>(n)}};
}

LabelFigure difference_of(const PerExample& search, const PerExample& sampling, std::uint64_t seed, int resamples) {
  PerExample differences;
  for (std::size_t i = 0; i < search.size(); ++i) differences.push_back(search[i] - sampling[i]);
  LabelFigure figure{"difference", {}, {}, kAgainstSampling, static_cast<std::int64_t>(search.size())};
  figure.value = sum_of(differences) / static_cast<double>(search.size());
  const Resamples draws(search.size(), seed, resamples);
  if (const auto interval = ratio_interval(draws.sums(differences), draws.sums(PerExample(search.size(), 1.0)))) {
    figure.ci_low = interval->low;
    figure.ci_high = interval->high;
  }
  return figure;
}

LabelFigure p_value_of(const PerExample& search, const PerExample& sampling) {
  std::int64_t only_search = 0, only_sampling = 0;
  for (std::size_t i = 0; i < search.size(); ++i) {
    only_search += search[i] > sampling[i] ? 1 : 0;
    only_sampling += sampling[i] > search[i] ? 1 : 0;
  }
  LabelFigure figure{"p_value", {}, {}, kAgainstSampling, static_cast<std::int64_t>(search.size())};
  figure.value = mcnemar_exact_p(only_search, only_sampling);
  return figure;
}

std::vector<LabelFigure> group_figures(const SampledGroup& group, const std::vector<Way>& ways, std::uint64_t seed,
                                       int resamples) {
  std::vector<LabelFigure> figures = counts_of(group);
  std::vector<PerExample> solved;
  for (const Way& way : ways) {
    solved.push_back(solved_by(way, group));
    figures.push_back(share_figure("solved", way.name, static_cast<std::int64_t>(sum_of(solved.back())),
                                   static_cast<std::int64_t>(group.size())));
  }
  const auto best = static_cast<std::size_t>(
      std::ranges::max_element(solved.begin() + kFirstSampling, solved.end(), {}, sum_of) - solved.begin());
  figures.push_back(difference_of(solved[kSearchWay], solved[best], seed, resamples));
  figures.back().note = "best sampling: " + ways[best].name;
  figures.push_back(p_value_of(solved[kSearchWay], solved[best]));
  return figures;
}

void check_sampled(std::span<const SampledExample> examples, const SamplingFigureOptions& options) {
  const auto whole = [&](const SampledExample& example) {
    if (options.temperatures.empty() || example.samples.size() != options.temperatures.size()) return false;
    const std::size_t n = example.samples.front().size();
    return n > 0 && std::ranges::all_of(example.samples, [&](const auto& verdicts) { return verdicts.size() == n; });
  };
  if (!examples.empty() && std::ranges::all_of(examples, whole)) return;
  throw core::Error(
      "sampling control: expected examples with as many samples, at least one, at each of the temperatures, found "
      "others");
}

}  // namespace

std::vector<LabelFigure> sampling_figures(std::span<const SampledExample> examples,
                                          const SamplingFigureOptions& options) {
  check_sampled(examples, options);
  const std::vector<Way> ways = ways_of(options.temperatures);
  std::vector<LabelFigure> all;
  for (const std::string& level : levels_of(examples, &SampledExample::level)) {
    SampledGroup group;
    for (const SampledExample& example : examples)
      if (level == kAllLevels || example.level == level) group.push_back(&example);
    const std::uint64_t seed = core::derive_seed(options.root_seed, "sampling control", level);
    for (LabelFigure& figure : group_figures(group, ways, seed, options.resamples)) {
      figure.set = "all";
      figure.level = level;
      all.push_back(std::move(figure));
    }
  }
  return all;
}

}  // namespace polar::eval
