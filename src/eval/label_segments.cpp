// Figures of the segments of canonical parses: lengths, runs, places, and how evenly they are used.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "eval/label_group.h"
#include "eval/metrics.h"

namespace polar::eval {
namespace {

std::span<const core::Segment> edits_of(const LabelGroup& group, std::uint32_t number) {
  const LabelProgram& program = group.program(number);
  return {group.table->edits.data() + program.first_edit, program.edits};
}

/// For each segment how many consecutive layers it lies in with segments of the same operation.
std::vector<int> consecutive_layers(std::span<const core::Segment> edits) {
  std::vector<int> result(edits.size(), 0);
  for (std::size_t first = 0; first < edits.size();) {
    std::size_t last = first;
    int layers = edits[first].length;
    while (last + 1 < edits.size() && edits[last].first + edits[last].length == edits[last + 1].first &&
           (edits[last].runs == 0) == (edits[last + 1].runs == 0)) {
      ++last;
      layers += edits[last].length;
    }
    std::fill(result.begin() + static_cast<std::ptrdiff_t>(first),
              result.begin() + static_cast<std::ptrdiff_t>(last) + 1, layers);
    first = last + 1;
  }
  return result;
}

/// Which figure a count belongs to: `length` and, where there is one, a second number (−1: none).
struct SegmentKey {
  std::string_view analysis;
  int length;
  int second = -1;
  friend auto operator<=>(const SegmentKey&, const SegmentKey&) = default;
};
using SegmentCounts = std::map<SegmentKey, PerExample>;

constexpr std::string_view kLength = "segment_length";
constexpr std::string_view kRuns = "segment_runs";
constexpr std::string_view kConsecutive = "consecutive_layers";
constexpr std::string_view kPlace = "segment_at";

/// Segments of one operation in the programs of one example.
void count_segments(const LabelGroup& group, std::span<const std::uint32_t> programs, bool skips, std::size_t example,
                    SegmentCounts& counts, PerExample& totals) {
  const auto count = [&](const SegmentKey& key) {
    PerExample& values = counts[key];
    if (values.empty()) values.assign(group.examples.size(), 0);
    ++values[example];
  };
  for (std::uint32_t number : programs) {
    const auto edits = edits_of(group, number);
    const std::vector<int> consecutive = consecutive_layers(edits);
    for (std::size_t e = 0; e < edits.size(); ++e) {
      const core::Segment& edit = edits[e];
      if ((edit.runs == 0) != skips) continue;
      ++totals[example];
      count({kLength, edit.length});
      count({kConsecutive, edit.length, consecutive[e]});
      if (!skips) count({kRuns, edit.runs - 1});
      count({kPlace, edit.length, edit.first});
    }
  }
}

void add_pool_segments(const LabelGroup& group, Pool pool, bool skips, FigureList& figures) {
  SegmentCounts counts;
  PerExample totals(group.examples.size(), 0);
  for (std::size_t i = 0; i < group.examples.size(); ++i)
    count_segments(group, programs_of(*group.examples[i], pool), skips, i, counts, totals);
  const auto denominator = figures.denominator(std::move(totals));
  for (const auto& [key, values] : counts) {
    std::string name = fmt::format("{}/{}", to_string(pool), key.length);
    if (key.analysis != kRuns) name.insert(0, skips ? "skip/" : "repeat/");
    if (key.second >= 0) name += fmt::format("/{}", key.second);
    figures.ratio(std::string(key.analysis), name, values, denominator);
  }
}

// --- Diversity ------------------------------------------------------------------------------------------------------

/// Segments numbered, and how often each example's programs hold each.
using EditNumbers = std::map<std::tuple<int, int, int>, std::size_t>;
using EditCounts = std::vector<std::vector<std::pair<std::size_t, double>>>;  ///< by example: segment and count

EditNumbers numbered_edits(const LabelGroup& group) {
  EditNumbers numbers;
  for (const ExampleLabels* labels : group.examples)
    for (std::uint32_t number : labels->tried)
      for (const core::Segment& edit : edits_of(group, number))
        numbers.try_emplace({edit.first, edit.length, edit.runs}, numbers.size());
  return numbers;
}

EditCounts counted_edits(const LabelGroup& group, Pool pool, const EditNumbers& numbers) {
  EditCounts counts;
  for (const ExampleLabels* labels : group.examples) {
    std::map<std::size_t, double> own;
    for (std::uint32_t number : programs_of(*labels, pool))
      for (const core::Segment& edit : edits_of(group, number)) ++own[numbers.at({edit.first, edit.length, edit.runs})];
    counts.emplace_back(own.begin(), own.end());
  }
  return counts;
}

double entropy_bits(const std::vector<double>& counts) {
  double sum = 0;
  for (double count : counts) sum += count;
  double entropy = 0;
  for (double count : counts)
    if (count > 0) entropy -= count / sum * std::log2(count / sum);
  return entropy;
}

/// sum_ij |x_i − x_j| / (2 n² mean), by ranks.
double gini(std::vector<double> counts) {
  std::ranges::sort(counts);
  double sum = 0, ranked = 0;
  const auto n = static_cast<double>(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += counts[i];
    ranked += static_cast<double>(i + 1) * counts[i];
  }
  return sum > 0 ? 2 * ranked / (n * sum) - (n + 1) / n : 0;
}

/// Counts over all examples, each as often as `times` says.
template <typename Times>
std::vector<double> summed(const EditCounts& counts, std::size_t edits, Times times) {
  std::vector<double> sums(edits, 0);
  for (std::size_t example = 0; example < counts.size(); ++example)
    for (const auto& [edit, count] : counts[example]) sums[edit] += times(example) * count;
  return sums;
}

/// value ± 1.96 standard errors, these from at most 200 resamples (each costs a pass over all examples). A percentile
/// interval would miss the value, as resampling lowers an entropy. No interval when no resample differs.
template <typename Statistic>
LabelFigure measured(const LabelGroup& group, const EditCounts& counts, std::size_t edits, Statistic statistic) {
  LabelFigure figure;
  figure.value = statistic(summed(counts, edits, [](std::size_t) { return 1.0; }));
  const int resamples = std::min(200, group.resamples->count());
  double sum = 0, squares = 0, farthest = 0;
  for (int resample = 0; resample < resamples; ++resample) {
    const double value = statistic(summed(counts, edits, [&](std::size_t example) {
      return static_cast<double>(group.resamples->times(example)[static_cast<std::size_t>(resample)]);
    }));
    sum += value - figure.value;
    farthest = std::max(farthest, std::abs(value - figure.value));
    squares += (value - figure.value) * (value - figure.value);
  }
  constexpr double kRounding = 1e-12;
  if (farthest <= kRounding) return figure;
  const double variance = (squares - sum * sum / resamples) / (resamples - 1);
  const double half = 1.959963984540054 * std::sqrt(std::max(0.0, variance));
  figure.ci_low = std::max(0.0, figure.value - half);
  figure.ci_high = figure.value + half;
  return figure;
}

}  // namespace

void add_segment_figures(const LabelGroup& group, FigureList& figures) {
  for (const bool skips : {false, true})
    for (Pool pool : kPools) add_pool_segments(group, pool, skips, figures);
}

void add_diversity_figures(const LabelGroup& group, FigureList& figures) {
  const EditNumbers numbers = numbered_edits(group);
  const double most = std::log2(static_cast<double>(std::max<std::size_t>(1, numbers.size())));
  for (Pool pool : kPools) {
    const EditCounts counts = counted_edits(group, pool, numbers);
    double total = 0;
    for (const auto& own : counts)
      for (const auto& [edit, count] : own) total += count;
    if (total == 0) continue;
    const auto add = [&](const char* analysis, LabelFigure figure, double scale, double bound) {
      figure.analysis = analysis;
      figure.key = to_string(pool);
      figure.n = static_cast<std::int64_t>(total);
      figure.value *= scale;
      if (figure.ci_low) {
        figure.ci_low = *figure.ci_low * scale;
        figure.ci_high = std::min(bound, *figure.ci_high * scale);
      }
      figures.add(std::move(figure));
    };
    const LabelFigure entropy = measured(group, counts, numbers.size(), entropy_bits);
    add("edit_entropy", entropy, 1, most);
    if (most > 0) add("edit_entropy_share", entropy, 1 / most, 1);
    add("edit_gini", measured(group, counts, numbers.size(), gini), 1, 1);
  }
}

}  // namespace polar::eval
