// The figures of null_control.h.

#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/seed.h"
#include "eval/levels.h"
#include "eval/metrics.h"
#include "eval/statistics.h"
#include "experiment/null_control.h"

namespace polar::experiment {
namespace {

/// A share as what each example adds to its numerator and its denominator.
struct ExampleShare {
  std::vector<double> hits, cases;

  double total_hits() const { return std::accumulate(hits.begin(), hits.end(), 0.0); }
  double total_cases() const { return std::accumulate(cases.begin(), cases.end(), 0.0); }
  double value() const { return total_hits() / total_cases(); }
};

struct NullKey {
  const char* name;
  bool wilson;  ///< the cases are examples
  double (*hits)(const SearchCounts&);
  double (*cases)(const SearchCounts&);
};

constexpr NullKey kNullKeys[] = {
    {"identity", true, [](const SearchCounts& one) { return one.identity ? 1.0 : 0.0; },
     [](const SearchCounts&) { return 1.0; }},
    {"solved", true, [](const SearchCounts& one) { return one.solved ? 1.0 : 0.0; },
     [](const SearchCounts&) { return 1.0; }},
    {"wrong_to_right", true, [](const SearchCounts& one) { return !one.identity && one.solved ? 1.0 : 0.0; },
     [](const SearchCounts& one) { return one.identity ? 0.0 : 1.0; }},
    {"valid_programs", false, [](const SearchCounts& one) { return static_cast<double>(one.valid); },
     [](const SearchCounts& one) { return static_cast<double>(one.trials); }},
};

/// The models' figures on the examples of one level.
class NullLevel {
 public:
  NullLevel(std::span<const SearchedModel> models, std::string level, std::vector<std::size_t> examples,
            std::uint64_t seed, int resamples)
      : models_(models),
        level_(std::move(level)),
        examples_(std::move(examples)),
        resamples_(examples_.size(), core::derive_seed(seed, "null control", level_), resamples) {}

  void add_figures(std::vector<eval::LabelFigure>& figures) const {
    figures.push_back(eval::examples_figure(level_, examples_.size()));
    for (const SearchedModel& model : models_)
      for (const NullKey& key : kNullKeys) add_share(figures, model, key);
    for (const SearchedModel& model : models_.subspan(1))
      for (const NullKey& key : kNullKeys) add_excess(figures, model, key);
  }

 private:
  ExampleShare share_of(const SearchedModel& model, const NullKey& key) const {
    ExampleShare share;
    for (const std::size_t index : examples_) {
      share.hits.push_back(key.hits(model.examples[index]));
      share.cases.push_back(key.cases(model.examples[index]));
    }
    return share;
  }

  void add_share(std::vector<eval::LabelFigure>& figures, const SearchedModel& model, const NullKey& key) const {
    const ExampleShare share = share_of(model, key);
    if (share.total_cases() == 0) return;
    const auto n = std::llround(share.total_cases());
    eval::LabelFigure& figure = figures.emplace_back();
    figure = {"null", model.name, level_, key.name, n, share.value()};
    const std::optional<eval::Interval> interval =
        key.wilson ? std::optional(eval::wilson_interval(std::llround(share.total_hits()), n))
                   : eval::ratio_interval(resamples_.sums(share.hits), resamples_.sums(share.cases));
    if (interval) figure.ci_low = interval->low, figure.ci_high = interval->high;
  }

  void add_excess(std::vector<eval::LabelFigure>& figures, const SearchedModel& null, const NullKey& key) const {
    const ExampleShare own = share_of(models_.front(), key), other = share_of(null, key);
    if (own.total_cases() == 0 || other.total_cases() == 0) return;
    eval::LabelFigure& figure = figures.emplace_back();
    figure = {"null_excess", null.name, level_, key.name, std::llround(own.total_cases()), own.value() - other.value()};
    const std::vector<double> own_hits = resamples_.sums(own.hits), own_cases = resamples_.sums(own.cases);
    const std::vector<double> other_hits = resamples_.sums(other.hits), other_cases = resamples_.sums(other.cases);
    std::vector<double> differences, ones;
    for (std::size_t i = 0; i < own_hits.size(); ++i) {
      if (own_cases[i] == 0 || other_cases[i] == 0) continue;  // says nothing
      differences.push_back(own_hits[i] / own_cases[i] - other_hits[i] / other_cases[i]);
      ones.push_back(1);
    }
    const std::optional<eval::Interval> interval = eval::ratio_interval(differences, ones);
    if (interval) figure.ci_low = interval->low, figure.ci_high = interval->high;
  }

  std::span<const SearchedModel> models_;
  std::string level_;
  std::vector<std::size_t> examples_;
  eval::Resamples resamples_;
};

void check_models(std::span<const SearchedModel> models) {
  for (const SearchedModel& model : models) {
    if (model.examples.size() == models.front().examples.size() && !model.examples.empty()) continue;
    throw core::Error(fmt::format("null control: expected searches of the same examples, found {} of {} and {} of {}",
                                  models.front().examples.size(), models.front().name, model.examples.size(),
                                  model.name));
  }
}

}  // namespace

std::vector<eval::LabelFigure> null_figures(std::span<const SearchedModel> models, std::uint64_t seed, int resamples) {
  if (models.empty()) return {};
  check_models(models);
  const std::vector<SearchCounts>& examples = models.front().examples;
  std::vector<eval::LabelFigure> figures;
  for (const std::string& level : eval::levels_of(examples, &SearchCounts::level)) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < examples.size(); ++i)
      if (examples[i].level == level || level == eval::kAllLevels) members.push_back(i);
    NullLevel(models, level, std::move(members), seed, resamples).add_figures(figures);
  }
  return figures;
}

}  // namespace polar::experiment
