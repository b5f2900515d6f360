#include "search/additive_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace polar::search {

namespace {

constexpr double kEditCostSpread = 0.5;
constexpr double kOwnShare = 0.3;  ///< of a layer's prior variance that its neighbours do not share
constexpr std::size_t kIntercept = 0, kEditCost = 1, kFirstEffect = 2;

/// Two independent standard normal draws a call would waste one; costs are no matter here (G. E. P. Box and M. E.
/// Muller, Ann. Math. Statist. 29 (1958), 610–611).
double normal(core::Random& random) {
  const double radius = std::sqrt(-2 * std::log(random.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

}  // namespace

AdditiveModel::AdditiveModel(int first_layer, int end_layer, const SearchOptions& options)
    : first_layer_(first_layer),
      layers_(end_layer - first_layer),
      noise_variance_(options.model_noise * options.model_noise),
      mean_(kFirstEffect + 2 * static_cast<std::size_t>(layers_), 0.0),
      covariance_(mean_.size() * mean_.size(), 0.0) {
  mean_[kEditCost] = -options.model_edit_cost;
  covariance(kIntercept, kIntercept) = kMarginSpread * kMarginSpread;
  covariance(kEditCost, kEditCost) = kEditCostSpread * kEditCostSpread;
  const double variance = options.model_spread * options.model_spread;
  for (int kind = 0; kind < 2; ++kind) {
    const std::size_t first = kFirstEffect + static_cast<std::size_t>(kind * layers_);
    for (int i = 0; i < layers_; ++i) {
      for (int j = 0; j < layers_; ++j) {
        const double near = options.model_reach > 0 ? std::exp(-std::abs(i - j) / options.model_reach) : i == j;
        covariance(first + static_cast<std::size_t>(i), first + static_cast<std::size_t>(j)) =
            variance * ((i == j ? kOwnShare : 0) + (1 - kOwnShare) * near);
      }
    }
  }
}

AdditiveModel::Features AdditiveModel::features(std::span<const core::Program::Layer> block,
                                                const core::Edit& edit) const {
  Features features{{kEditCost, 1.0}};
  const int kind = edit.is_skip() ? 0 : 1;
  for (const core::Program::Layer layer : block) {
    const int effect = kind * layers_ + layer - first_layer_;
    features.emplace_back(kFirstEffect + static_cast<std::size_t>(effect), edit.is_skip() ? 1.0 : edit.extra_runs);
  }
  return features;
}

double AdditiveModel::effect(std::span<const core::Program::Layer> block, const core::Edit& edit,
                             const Weights& weights) const {
  const int first = edit.is_skip() ? 0 : layers_;
  double sum = 0;
  for (const core::Program::Layer layer : block)
    sum += weights[kFirstEffect + static_cast<std::size_t>(first + layer - first_layer_)];
  return weights[kEditCost] + sum * (edit.is_skip() ? 1 : edit.extra_runs);
}

double AdditiveModel::predict(const Features& features, const Weights& weights) {
  double sum = 0;
  for (const auto& [index, value] : features) sum += weights[index] * value;
  return sum;
}

double AdditiveModel::variance(const Features& features) const {
  double sum = 0;
  for (const auto& [i, a] : features) {
    for (const auto& [j, b] : features) sum += a * b * covariance(i, j);
  }
  return sum;
}

// gain = C φ / (φᵀ C φ + noise); mean += gain · (margin − φ·mean); C −= gain (C φ)ᵀ.
void AdditiveModel::observe(const Features& features, int edits, double margin) {
  const std::size_t size = mean_.size();
  std::vector<double> along(size, 0.0);  // C φ
  for (const auto& [index, value] : features) {
    for (std::size_t i = 0; i < size; ++i) along[i] += covariance(index, i) * value;
  }
  double total = noise_variance_ * std::max(1, edits);
  for (const auto& [index, value] : features) total += along[index] * value;
  const double surprise = std::clamp(margin, -kMostMargin, kMostMargin) - predict(features, mean_);
  for (std::size_t i = 0; i < size; ++i) {
    mean_[i] += along[i] / total * surprise;
    for (std::size_t j = 0; j < size; ++j) covariance(i, j) -= along[i] * along[j] / total;
  }
  factor_.clear();
}

// Cholesky. Rounding may leave a pivot at zero or below it where the data say all: that direction is not drawn then.
void AdditiveModel::factorise() const {
  const std::size_t size = mean_.size();
  factor_.assign(size * size, 0.0);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = covariance(i, j);
      for (std::size_t k = 0; k < j; ++k) rest -= factor_[i * size + k] * factor_[j * size + k];
      if (i == j) {
        factor_[i * size + i] = std::sqrt(std::max(0.0, rest));
      } else {
        const double pivot = factor_[j * size + j];
        factor_[i * size + j] = pivot > 1e-9 ? rest / pivot : 0;
      }
    }
  }
}

AdditiveModel::Weights AdditiveModel::draw(core::Random& random) const {
  if (factor_.empty()) factorise();
  const std::size_t size = mean_.size();
  Weights weights = mean_;
  for (std::size_t k = 0; k < size; ++k) {
    const double drawn = normal(random);
    for (std::size_t i = k; i < size; ++i) weights[i] += factor_[i * size + k] * drawn;
  }
  return weights;
}

}  // namespace polar::search
