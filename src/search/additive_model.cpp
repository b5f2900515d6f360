#include "search/additive_model.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <numeric>
#include <utility>

namespace polar::search {

namespace {

/// What an edit's cost is multiplied with.
double size_of(const core::Edit& edit) {
  return edit.is_skip() ? edit.length : edit.extra_runs;
}

/// A standard normal draw (G. E. P. Box and M. E. Muller, Ann. Math. Statist. 29 (1958), 610–611).
double normal(core::Random& random) {
  const double radius = std::sqrt(-2 * std::log(random.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

AdditiveModel::AdditiveModel(std::vector<core::Edit> candidates, const SearchOptions& options)
    : candidates_(std::move(candidates)), options_(options), columns_(candidates_.size() + 1) {
  for (const core::Edit& edit : candidates_) effects_.push_back({prior_mean(edit), covariance(edit, edit)});
  effects_.push_back({0, kMarginSpread * kMarginSpread});
}

double AdditiveModel::prior_mean(const core::Edit& edit) const {
  return -size_of(edit) * (edit.is_skip() ? options_.model_skip_cost : options_.model_repeat_cost);
}

double AdditiveModel::covariance(const core::Edit& a, const core::Edit& b) const {
  if (a.is_skip() != b.is_skip()) return 0;
  const int distance =
      std::abs(a.first - b.first) + std::abs(a.last() - b.last()) + std::abs(a.extra_runs - b.extra_runs);
  double near = distance == 0 ? 1 : 0;
  if (distance > 0 && options_.model_reach > 0) near = std::exp(-distance / options_.model_reach);
  return options_.model_spread * options_.model_spread * near + kKindSpread * kKindSpread * size_of(a) * size_of(b);
}

double AdditiveModel::covariance(std::span<const core::Edit> a, std::span<const core::Edit> b) const {
  double sum = kMarginSpread * kMarginSpread;
  for (const core::Edit& e : a) {
    for (const core::Edit& f : b) sum += covariance(e, f);
  }
  return sum;
}

std::size_t AdditiveModel::index_of(const core::Edit& edit) const {
  const auto place = std::ranges::lower_bound(candidates_, edit);
  assert(place != candidates_.end() && *place == edit && "every edit is a candidate");
  return static_cast<std::size_t>(place - candidates_.begin());
}

void AdditiveModel::observe(std::span<const core::Edit> edits, double margin) {
  std::vector<double> row;  // of L
  for (std::size_t j = 0; j < observed_.size(); ++j) {
    const double rest = covariance(edits, observed_[j]) - dot(row, std::span(factor_[j]).first(j));
    row.push_back(rest / factor_[j][j]);
  }
  const double noise =
      options_.model_noise * options_.model_noise * static_cast<double>(std::max<std::size_t>(1, edits.size()));
  const double pivot = std::sqrt(covariance(edits, edits) + noise - dot(row, row));
  double expected = 0;
  for (const core::Edit& edit : edits) expected += prior_mean(edit);
  const double surprise = (std::clamp(margin, -kMostMargin, kMostMargin) - expected - dot(row, surprises_)) / pivot;
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    double shared = kMarginSpread * kMarginSpread;
    if (i < candidates_.size()) {
      shared = 0;
      for (const core::Edit& edit : edits) shared += covariance(candidates_[i], edit);
    }
    const double entry = (shared - dot(row, columns_[i])) / pivot;
    columns_[i].push_back(entry);
    effects_[i].mean += entry * surprise;
    effects_[i].variance = std::max(0.0, effects_[i].variance - entry * entry);
  }
  surprises_.push_back(surprise);
  row.push_back(pivot);
  factor_.push_back(std::move(row));
  observed_.emplace_back(edits.begin(), edits.end());
}

std::vector<double> AdditiveModel::draw(core::Random& random) const {
  std::vector<double> drawn;
  drawn.reserve(candidates_.size());
  for (std::size_t i = 0; i < candidates_.size(); ++i)
    drawn.push_back(effects_[i].mean + std::sqrt(effects_[i].variance) * normal(random));
  return drawn;
}

}  // namespace polar::search
