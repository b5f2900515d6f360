#pragma once
// A Bayesian linear model of what edits do to one example's margin.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "core/edit.h"
#include "core/program.h"
#include "core/seed.h"
#include "search/options.h"

namespace polar::search {

/// In a residual network, to first order, every layer left out or run again changes the answer's logits by an amount of
/// its own, whatever else is edited. So with edits e of blocks B(e):
///   margin(program) = b + Σ_e ( a + Σ_{i in B(e)} [skip: s_i; repeat: extra runs · r_i] ) + noise,
/// noise ~ N(0, model_noise² · max(1, edits)). Prior: b ~ N(0, kMarginSpread²), a ~ N(−model_edit_cost, 0.5²), and s
/// and r each with mean 0 and covariance
///   model_spread² · (0.3 · [i = j] + 0.7 · exp(−|i − j| / model_reach)),
/// so that a layer's neighbours tell about it. The posterior is exact, by rank-one updates: O(F²) an observation with
/// F = 2 + 2·layers (C. M. Bishop, Pattern Recognition and Machine Learning, 2006, section 3.3). Not thread-safe.
class AdditiveModel {
 public:
  static constexpr double kMarginSpread = 5;
  static constexpr double kMostMargin = 8;  ///< margins beyond ± this say no more: they are cut to it

  /// One coefficient a weight: what a program or an edit adds up.
  using Features = std::vector<std::pair<std::size_t, double>>;

  /// Effects of the layers first_layer … end_layer − 1.
  AdditiveModel(int first_layer, int end_layer, const SearchOptions& options);

  /// Of one edit whose block is these layers; the intercept is not in it.
  Features features(std::span<const core::Program::Layer> block, const core::Edit& edit) const;
  /// Of a program without edits.
  static Features intercept() { return {{0, 1.0}}; }

  /// `features` of a whole program, intercept included, and the margin its outcome showed.
  void observe(const Features& features, int edits, double margin);

  using Weights = std::vector<double>;
  const Weights& mean() const { return mean_; }
  double variance(const Features& features) const;
  /// One plausible set of weights: a draw from the posterior.
  Weights draw(core::Random& random) const;

  /// predict(features(block, edit), weights).
  double effect(std::span<const core::Program::Layer> block, const core::Edit& edit, const Weights& weights) const;

  static double predict(const Features& features, const Weights& weights);

 private:
  double& covariance(std::size_t i, std::size_t j) { return covariance_[i * mean_.size() + j]; }
  double covariance(std::size_t i, std::size_t j) const { return covariance_[i * mean_.size() + j]; }
  void factorise() const;

  int first_layer_;
  int layers_;
  double noise_variance_;
  Weights mean_;
  std::vector<double> covariance_;      ///< F × F
  mutable std::vector<double> factor_;  ///< its lower Cholesky factor; empty: out of date
};

}  // namespace polar::search
