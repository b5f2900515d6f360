#pragma once
// A Gaussian process of what edits do to one example's margin.

#include <cstddef>
#include <span>
#include <vector>

#include "core/edit.h"
#include "core/seed.h"
#include "search/options.h"

namespace polar::search {

/// Each edit e changes the margin by an effect of its own, whatever else is edited:
///   margin(program) = b + Σ_e θ_e + noise,  noise ~ N(0, model_noise² · max(1, edits)),
/// with prior b ~ N(0, kMarginSpread²), θ_e of mean −model_skip_cost · layers (skips) or −model_repeat_cost · extra
/// runs (repeats), and, between edits of the same kind,
///   cov(θ_e, θ_f) = model_spread² · exp(−(|Δfirst| + |Δlast| + |Δextra|) / model_reach) + kKindSpread² · s_e · s_f
/// where s is what the mean's cost is multiplied with: blocks that nearly coincide act alike, and costs are learnt.
/// (On SmolLM2-135M and the arithmetic ladder, effects of single repeats within an example have a standard deviation of
/// 1.9 logits and correlations of 0.54, 0.30 and 0.16 at distances 1, 2 and 3, those of skips 2.6 and 0.42, 0.13 and
/// 0.04: experiments/labels/effects.py.)
///
/// The posterior of b and of every candidate's effect is exact (C. E. Rasmussen and C. K. I. Williams, Gaussian
/// Processes for Machine Learning, 2006, algorithm 2.1, one row of the Cholesky factor an observation): the t-th
/// observation costs O(t · candidates). Not thread-safe.
class AdditiveModel {
 public:
  static constexpr double kMarginSpread = 2;
  static constexpr double kKindSpread = 0.5;
  static constexpr double kMostMargin = 8;  ///< margins beyond ± this say no more: they are cut to it

  /// `candidates` are sorted (SearchSpace::candidates()); every edit observed is one of them.
  AdditiveModel(std::vector<core::Edit> candidates, const SearchOptions& options);

  /// A program's edits and the margin its outcome showed.
  void observe(std::span<const core::Edit> edits, double margin);

  struct Effect {
    double mean = 0;
    double variance = 0;
  };
  const Effect& intercept() const { return effects_.back(); }                        ///< b
  const Effect& effect(std::size_t candidate) const { return effects_[candidate]; }  ///< θ
  std::size_t index_of(const core::Edit& edit) const;

  /// One plausible value of every candidate's effect, each drawn by itself from its posterior.
  std::vector<double> draw(core::Random& random) const;

 private:
  using Edits = std::vector<core::Edit>;
  double covariance(const core::Edit& a, const core::Edit& b) const;
  double covariance(std::span<const core::Edit> a, std::span<const core::Edit> b) const;
  double prior_mean(const core::Edit& edit) const;

  std::vector<core::Edit> candidates_;
  SearchOptions options_;
  std::vector<Effect> effects_;               ///< of the candidates, then of b
  std::vector<std::vector<double>> columns_;  ///< L⁻¹ · cov(observations, effect), by effect
  std::vector<Edits> observed_;
  std::vector<std::vector<double>> factor_;  ///< L, by row
  std::vector<double> surprises_;            ///< L⁻¹ · (margins − prior means)
};

}  // namespace polar::search
