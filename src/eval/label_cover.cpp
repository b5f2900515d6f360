// How many valid programs examples have, how far few programs cover them, and how much the sets share.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <unordered_map>

#include "core/seed.h"
#include "eval/label_group.h"

namespace polar::eval {
namespace {

constexpr int kMostCovering = 16;
constexpr std::size_t kPartners = 64;

void add_valid_counts(const LabelGroup& group, FigureList& figures) {
  PerExample counts, all(group.examples.size(), 1), solvable;
  std::map<unsigned, std::int64_t> histogram;  // by number of bits: 0, 1, 2-3, 4-7 …
  for (const ExampleLabels* labels : group.examples) {
    counts.push_back(static_cast<double>(labels->valid.size()));
    solvable.push_back(labels->solvable() ? 1 : 0);
    ++histogram[static_cast<unsigned>(std::bit_width(labels->valid.size()))];
  }
  figures.ratio("valid_programs", "mean_all", counts, figures.denominator(std::move(all)));
  figures.ratio("valid_programs", "mean_solvable", counts, figures.denominator(std::move(solvable)));
  for (const auto& [bits, hits] : histogram) {
    const unsigned long first = bits == 0 ? 0 : 1UL << (bits - 1);
    const unsigned long last = bits == 0 ? 0 : (1UL << bits) - 1;
    figures.share("valid_programs_share", first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last),
                  hits, static_cast<std::int64_t>(group.examples.size()));
  }
}

/// Examples that each program is valid for.
using ValidFor = std::unordered_map<std::uint32_t, std::vector<std::uint32_t>>;

/// The program that adds most unsolved examples; ties to the smaller program; nullopt when none adds any.
std::optional<std::uint32_t> best_addition(const LabelGroup& group, const ValidFor& valid_for,
                                           const std::vector<bool>& covered) {
  std::optional<std::uint32_t> best;
  std::ptrdiff_t most = 0;
  for (const auto& [number, examples] : valid_for) {
    if (std::ssize(examples) < most) continue;
    const auto gain = std::ranges::count_if(examples, [&](std::uint32_t example) { return !covered[example]; });
    if (gain == 0 || gain < most) continue;
    if (gain == most && !(group.program(number).program < group.program(*best).program)) continue;
    most = gain;
    best = number;
  }
  return best;
}

void add_cover(const LabelGroup& group, FigureList& figures) {
  ValidFor valid_for;
  for (std::size_t i = 0; i < group.examples.size(); ++i)
    for (std::uint32_t number : group.examples[i]->valid) valid_for[number].push_back(static_cast<std::uint32_t>(i));
  std::vector<bool> covered(group.examples.size(), false);
  const auto n = static_cast<std::int64_t>(group.examples.size());
  for (int k = 1; k <= kMostCovering; ++k) {
    const auto best = best_addition(group, valid_for, covered);
    if (!best) return;
    for (std::uint32_t example : valid_for[*best]) covered[example] = true;
    const auto hits = static_cast<std::int64_t>(std::ranges::count(covered, true));
    const Interval interval = wilson_interval(hits, n);
    figures.add({"cover",
                 {},
                 {},
                 fmt::format("{}", k),
                 n,
                 static_cast<double>(hits) / static_cast<double>(n),
                 interval.low,
                 interval.high,
                 group.program(*best).program.text()});
  }
}

/// Changed programs of each example, ascending by number.
std::vector<std::vector<std::uint32_t>> changed_valid(const LabelGroup& group) {
  std::vector<std::vector<std::uint32_t>> sets;
  for (const ExampleLabels* labels : group.examples) {
    std::vector<std::uint32_t>& set = sets.emplace_back();
    std::ranges::copy_if(labels->valid, std::back_inserter(set),
                         [&](std::uint32_t number) { return !group.program(number).identity; });
  }
  return sets;
}

void add_valid_elsewhere(const LabelGroup& group, const std::vector<std::vector<std::uint32_t>>& valid,
                         FigureList& figures) {
  std::vector<double> tried_on(group.table->programs.size(), 0), valid_on(group.table->programs.size(), 0);
  PerExample tried, hits;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    double changed = 0;
    for (std::uint32_t number : group.examples[i]->tried) {
      if (group.program(number).identity) continue;
      ++tried_on[number];
      ++changed;
    }
    for (std::uint32_t number : valid[i]) ++valid_on[number];
    tried.push_back(changed);
    hits.push_back(static_cast<double>(valid[i].size()));
  }
  // Of a pair, programs valid on the one and tried on the other count half for each of its examples.
  PerExample also_valid, also_tried;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    double valid_count = 0, tried_count = 0;
    for (std::uint32_t number : valid[i]) {
      valid_count += valid_on[number] - 1;
      tried_count += tried_on[number] - 2;  // not this example, nor where the loop below counts it
    }
    for (std::uint32_t number : group.examples[i]->tried)
      if (!group.program(number).identity) tried_count += valid_on[number];
    also_valid.push_back(valid_count);
    also_tried.push_back(tried_count / 2);
  }
  figures.pair_ratio("overlap", "valid_elsewhere", also_valid, figures.denominator(std::move(also_tried)));
  figures.ratio("overlap", "expected", hits, figures.denominator(std::move(tried)));
}

double jaccard(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  std::size_t both = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) ++both;
    const bool step_a = a[i] <= b[j], step_b = b[j] <= a[i];
    i += step_a ? 1 : 0;
    j += step_b ? 1 : 0;
  }
  return static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
}

void add_jaccard(const LabelGroup& group, const std::vector<std::vector<std::uint32_t>>& valid, FigureList& figures) {
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < valid.size(); ++i)
    if (!valid[i].empty()) members.push_back(i);
  if (members.size() < 2) return;
  PerExample means(valid.size(), 0), counted(valid.size(), 0);
  for (std::size_t own = 0; own < members.size(); ++own) {
    std::vector<std::size_t> partners;
    if (members.size() - 1 <= kPartners) {
      for (std::size_t other = 0; other < members.size(); ++other)
        if (other != own) partners.push_back(other);
    } else {
      core::Random random(core::derive_seed(group.seed, "label overlap", group.examples[members[own]]->example->id));
      while (partners.size() < kPartners)
        if (const std::size_t other = random.below(members.size()); other != own) partners.push_back(other);
    }
    double sum = 0;
    for (std::size_t other : partners) sum += jaccard(valid[members[own]], valid[members[other]]);
    means[members[own]] = sum / static_cast<double>(partners.size());
    counted[members[own]] = 1;
  }
  figures.pair_ratio("overlap", "jaccard", means, figures.denominator(std::move(counted)));
}

}  // namespace

void add_cover_figures(const LabelGroup& group, FigureList& figures) {
  add_valid_counts(group, figures);
  add_cover(group, figures);
}

void add_overlap_figures(const LabelGroup& group, FigureList& figures) {
  const auto valid = changed_valid(group);
  add_valid_elsewhere(group, valid, figures);
  add_jaccard(group, valid, figures);
}

}  // namespace polar::eval
