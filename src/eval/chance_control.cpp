#include "eval/chance_control.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "eval/chance_hits.h"
#include "eval/control_report.h"
#include "eval/label_group.h"
#include "eval/levels.h"

namespace polar::eval {
namespace {

/// The excess in each resample of examples and of permutations; numbers to be divided by 1, or by 0 where a resample
/// has nobody whom the question concerns.
struct ResampledExcess {
  std::vector<double> values, counts;
};

/// The deviation of the resampled permutations' mean chance from that of all.
std::vector<double> permutation_deviations(const ChanceTally& tally, double chance, std::uint64_t seed, int resamples) {
  const Resamples draws(tally.asked_in.size(), core::derive_seed(seed, "permutations"), resamples);
  const std::vector<double> lucky = draws.sums(tally.lucky_in), asked = draws.sums(tally.asked_in);
  std::vector<double> deviations;
  for (std::size_t i = 0; i < lucky.size(); ++i) deviations.push_back(asked[i] == 0 ? 0 : lucky[i] / asked[i] - chance);
  return deviations;
}

ResampledExcess resampled_excess(const ChanceTally& tally, double chance, std::uint64_t seed, int resamples) {
  const Resamples draws(tally.member.size(), core::derive_seed(seed, "examples"), resamples);
  const std::vector<double> members = draws.sums(tally.member), observed = draws.sums(tally.observed),
                            asked = draws.sums(tally.asked), lucky = draws.sums(tally.lucky),
                            deviations = permutation_deviations(tally, chance, seed, resamples);
  ResampledExcess excess;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const bool empty = members[i] == 0 || asked[i] == 0;
    excess.values.push_back(empty ? 0 : observed[i] / members[i] - lucky[i] / asked[i] - deviations[i]);
    excess.counts.push_back(empty ? 0 : 1);
  }
  return excess;
}

void set_interval(LabelFigure& figure, const std::optional<Interval>& interval) {
  if (!interval) return;
  figure.ci_low = interval->low;
  figure.ci_high = interval->high;
}

/// Nothing where the question concerns nobody.
std::vector<LabelFigure> tally_figures(const std::string& analysis, const ChanceTally& tally, const LevelChance& level,
                                       std::uint64_t seed, int resamples) {
  const auto members = static_cast<std::int64_t>(sum_of(tally.member));
  if (members == 0) return {};
  std::vector<LabelFigure> figures{
      share_figure(analysis, "observed", static_cast<std::int64_t>(sum_of(tally.observed)), members)};
  figures.front().note = level.note;
  if (!level.permuted || sum_of(tally.asked) == 0) return figures;
  const double observed = figures.front().value, chance = sum_of(tally.lucky) / sum_of(tally.asked);
  figures.push_back({analysis, {}, {}, "chance", members, chance});
  set_interval(figures.back(), ratio_interval(tally.lucky_in, tally.asked_in));
  const ResampledExcess excess = resampled_excess(tally, chance, core::derive_seed(seed, analysis), resamples);
  figures.push_back({analysis, {}, {}, "excess", members, observed - chance});
  // Beyond certainty the deviations of the permutations lead nowhere.
  if (auto interval = ratio_interval(excess.values, excess.counts))
    set_interval(figures.back(), Interval{std::max(-1.0, interval->low), std::min(1.0, interval->high)});
  return figures;
}

std::vector<LabelFigure> answer_counts(const AnsweredGroup& group) {
  const auto n = static_cast<std::int64_t>(group.size());
  double answers = 0, disagreements = 0;
  for (const AnsweredExample* example : group) {
    answers += static_cast<double>(example->answers.size());
    disagreements += example->disagreements;
  }
  return {examples_figure({}, group.size()),
          {"counts", {}, {}, "answers", n, answers},
          {"counts", {}, {}, "disagreements", n, disagreements}};
}

class ChanceFigures {
 public:
  ChanceFigures(std::span<const AnsweredExample> examples, const ChanceFigureOptions& options)
      : examples_(examples), options_(options) {}

  std::vector<LabelFigure> take() {
    for (const std::string& level : levels_of(examples_, &AnsweredExample::level)) {
      const AnsweredGroup group = group_of_level(level);
      add(level, answer_counts(group));
      const LevelChance chance = level == kAllLevels ? pooled() : permuted(level, group);
      const std::uint64_t seed = core::derive_seed(options_.root_seed, "chance control", level);
      add(level, tally_figures("any_of_n", chance.any_of_n, chance, seed, options_.resamples));
      add(level, tally_figures("rescued", chance.rescued, chance, seed, options_.resamples));
    }
    return std::move(figures_);
  }

 private:
  AnsweredGroup group_of_level(const std::string& level) const {
    AnsweredGroup group;
    for (const AnsweredExample& example : examples_)
      if (level == kAllLevels || example.level == level) group.push_back(&example);
    return group;
  }

  LevelChance permuted(const std::string& level, const AnsweredGroup& group) {
    LevelChance chance =
        chance_of_level(group, options_, core::derive_seed(options_.root_seed, "chance control permutations", level));
    if (!chance.permuted) left_out_.push_back(level.empty() ? "no level" : level);
    levels_.push_back(chance);
    return chance;
  }

  /// Of the levels that allow permutations; where none does, what was observed of all.
  LevelChance pooled() const {
    const bool any = left_out_.size() < levels_.size();
    LevelChance all;
    all.permuted = any;
    for (const LevelChance& level : levels_) {
      if (level.permuted != any) continue;
      all.any_of_n.append(level.any_of_n);
      all.rescued.append(level.rescued);
    }
    if (any && !left_out_.empty())
      all.note = fmt::format("without {}, whose answers allow no permutation", fmt::join(left_out_, ", "));
    if (!any) all.note = "no chance figure: no level's answers allow a permutation";
    return all;
  }

  void add(const std::string& level, std::vector<LabelFigure> figures) {
    for (LabelFigure& figure : figures) {
      figure.set = "all";
      figure.level = level;
      figures_.push_back(std::move(figure));
    }
  }

  std::span<const AnsweredExample> examples_;
  const ChanceFigureOptions& options_;
  std::vector<LevelChance> levels_;
  std::vector<std::string> left_out_;
  std::vector<LabelFigure> figures_;
};

}  // namespace

std::vector<LabelFigure> chance_figures(std::span<const AnsweredExample> examples, const ChanceFigureOptions& options) {
  const auto whole = [](const AnsweredExample& example) { return example.identity < example.answers.size(); };
  if (examples.empty() || !std::ranges::all_of(examples, whole))
    throw core::Error("chance control: expected examples with answers, that of the identity included, found others");
  if (options.permutations < 1 || options.resamples < 2)
    throw core::UsageError(
        fmt::format("chance control: expected at least 1 permutation and 2 resamples, found {} and {}",
                    options.permutations, options.resamples));
  return ChanceFigures(examples, options).take();
}

}  // namespace polar::eval
