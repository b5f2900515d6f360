#include "eval/seeds_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "core/error.h"
#include "eval/results_table.h"
#include "eval/table_text.h"

namespace polar::eval {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;

Key key_of(const Figure& figure) {
  return {figure.policy, figure.split, figure.metric};
}

/// Those of all levels about ranked[0].
std::vector<Figure> pooled_figures(const SeedRows& seed, int depth) {
  MetricOptions options;
  options.depth = depth;
  options.max_k = 1;
  options.same = [](std::string_view a, std::string_view b) { return a == b; };  // of votes, which one program has not
  options.bootstrap_resamples = 2;  // intervals within a seed are not shown
  std::vector<Figure> figures = figures_of(seed.rows, options);
  std::erase_if(figures, [](const Figure& one) { return one.level != kAllLevels || one.k != 1; });
  return figures;
}

SeedFigure over_seeds(const Figure& first, std::vector<double> values) {
  SeedFigure result{first.policy, first.split, first.metric, first.oracle, std::move(values)};
  const auto count = static_cast<double>(result.values.size());
  result.mean = std::accumulate(result.values.begin(), result.values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : result.values) squares += (value - result.mean) * (value - result.mean);
  if (count > 1) result.deviation = std::sqrt(squares / (count - 1));
  return result;
}

class SeedIndex {
 public:
  explicit SeedIndex(std::span<const SeedFigure> figures) {
    for (const SeedFigure& one : figures) by_key_.emplace(Key{one.policy, one.split, one.metric}, &one);
  }
  const SeedFigure* find(const std::string& policy, const std::string& split, const std::string& metric) const {
    const auto place = by_key_.find({policy, split, metric});
    return place == by_key_.end() ? nullptr : place->second;
  }

 private:
  std::map<Key, const SeedFigure*> by_key_;
};

/// In points: "+13.3 (least +12.1)".
std::string gain(const SeedFigure* accuracy, const SeedFigure* over) {
  if (over == nullptr || over == accuracy) return kNone;
  double least = INFINITY;
  for (std::size_t i = 0; i < accuracy->values.size(); ++i)
    least = std::min(least, accuracy->values[i] - over->values[i]);
  return fmt::format("{:+.1f} (least {:+.1f})", 100 * (accuracy->mean - over->mean), 100 * least);
}

std::string greatest_p(const SeedFigure* p) {
  if (p == nullptr) return kNone;
  const double greatest = std::ranges::max(p->values);
  return greatest < 0.001 ? fmt::format("{:.1e}", greatest) : fmt::format("{:.3f}", greatest);
}

std::vector<std::string> line_of(const SeedIndex& index, const SeedFigure& accuracy) {
  const auto get = [&](const char* metric) { return index.find(accuracy.policy, accuracy.split, metric); };
  std::vector<std::string> cells = {shown_name(accuracy.policy) + (accuracy.oracle ? " (oracle)" : "")};
  for (const double value : accuracy.values) cells.push_back(fmt::format("{:.1f}", 100 * value));
  cells.push_back(fmt::format("{:.1f} ± {:.1f}", 100 * accuracy.mean, 100 * accuracy.deviation));
  const auto base = index.find(std::string(kBase), accuracy.split, accuracy.metric);
  const auto fixed = index.find(std::string(kStaticBest), accuracy.split, accuracy.metric);
  cells.insert(cells.end(), {gain(&accuracy, base), greatest_p(get("mcnemar_p_holm")), gain(&accuracy, fixed),
                             greatest_p(get("mcnemar_p_static_holm")), fmt::format("{:.3f}", get("depth_ratio")->mean),
                             get("executions_ratio") ? fmt::format("{:.3f}", get("executions_ratio")->mean) : kNone,
                             fmt::format("{:.1f}", 100 * get("identity_share")->mean)});
  return cells;
}

}  // namespace

std::vector<SeedFigure> seed_figures(std::span<const SeedRows> seeds, int depth) {
  if (seeds.empty()) throw core::UsageError("seeds: expected at least one, found none");
  std::map<Key, std::vector<double>> values;
  std::vector<Figure> first;
  for (const SeedRows& seed : seeds) {
    std::vector<Figure> figures = pooled_figures(seed, depth);
    for (const Figure& one : figures) values[key_of(one)].push_back(one.value);
    if (first.empty()) first = std::move(figures);
  }
  std::vector<SeedFigure> result;
  for (const Figure& one : first) {
    std::vector<double>& own = values.at(key_of(one));
    if (own.size() == seeds.size()) result.push_back(over_seeds(one, std::move(own)));
  }
  return result;
}

std::string seeds_csv(std::span<const SeedFigure> figures) {
  std::string text = "policy,split,metric,seeds,mean,deviation,least,greatest\n";
  for (const SeedFigure& one : figures) {
    text += fmt::format("{},{},{},{},{},{},{},{}\n", csv_field(one.policy), csv_field(one.split), csv_field(one.metric),
                        one.values.size(), one.mean, one.deviation, std::ranges::min(one.values),
                        std::ranges::max(one.values));
  }
  return text;
}

std::string seeds_markdown(std::span<const SeedFigure> figures, std::span<const std::uint64_t> seeds) {
  std::vector<std::string> head = {"policy"};
  for (const std::uint64_t seed : seeds) head.push_back(fmt::format("seed {}", seed));
  head.insert(head.end(), {"mean", "over base", "greatest p, Holm", "over static best", "greatest p, Holm",
                           "depth ratio", "layers an answer, of base's", "identity (percent)"});
  const SeedIndex index(figures);
  std::string text =
      "# Seeds\n\nAccuracy in percent, all levels pooled; mean with the standard deviation of the seeds. ";
  text +=
      "Gains in points: mean, and the least of any seed. p: McNemar's exact one, two-sided, the greatest of any seed; "
      "Holm's correction is over the policies compared with the base, or with static best, in a split.\n";
  std::string split;
  for (const SeedFigure& one : figures) {
    if (one.metric != "pass@k") continue;
    if (one.split != split) text += fmt::format("\n## {}\n\n{}", one.split, markdown_head(head));
    split = one.split;
    text += markdown_line(line_of(index, one));
  }
  return text;
}

}  // namespace polar::eval
