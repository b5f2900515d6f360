#pragma once
// The menu policy's scorer (method.md 3): pooled features of an input → expected outcome of each program of a menu.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "predict/matrix.h"

namespace polar::predict {

enum class ScorerKind {
  kRidge,         ///< linear in the features
  kKernelRidge,   ///< Gaussian kernel exp(−‖x − x'‖² / (2 s²)), s = bandwidth_scale × median distance of training pairs
  kLaplaceRidge,  ///< Laplacian kernel exp(−‖x − x'‖ / s), s alike: less smooth, so that near inputs count for more
  kLogistic,      ///< logistic regression, one for each program; scores are probabilities
  kNetwork        ///< kHiddenUnits rectified units that all programs share, then as kLogistic
};

std::string to_string(ScorerKind kind);
/// Throws core::UsageError for a name that to_string does not give.
ScorerKind scorer_kind(const std::string& name);
/// Keeps the training inputs and has a bandwidth.
bool has_kernel(ScorerKind kind);
/// Scores are probabilities by construction, and there is no closed form without some rows.
bool is_iterative(ScorerKind kind);

inline constexpr int kHiddenUnits = 64;

struct ScorerOptions {
  ScorerKind kind = ScorerKind::kRidge;
  double strength = 100;       ///< α > 0: penalty α‖w‖² beside the sum of squared errors; ½ α‖w‖² beside the summed
                               ///< cross-entropy, biases left out
  double bandwidth_scale = 1;  ///< > 0; kernels only
  std::uint64_t seed = 1;      ///< of a network's first weights
  friend bool operator==(const ScorerOptions&, const ScorerOptions&) = default;
};

/// Immutable once fitted; a cheap value to copy; thread-safe.
///
/// Every feature is standardised to mean 0, deviation 1 over the training rows (a constant one is left at 0). All
/// ridges are solved in the dual with an intercept that is not penalised: K the kernel matrix (X Xᵀ or radial), H = I −
/// 11ᵀ/n,
///   coef = (H K H + αI)⁻¹ (Y − mean Y),  score(x) = mean Y − mean_i K_i coef + k(x) coef
/// by Cholesky decomposition, double precision; time O(n³ + n² (f + m)), memory O(n²). Ridge scores may leave [0, 1].
/// The others by L-BFGS over all rows, at most 300 iterations, on one thread: the same to the last bit each time.
class MenuScorer {
 public:
  /// x [n, f] features, y [n, m] targets in [0, 1] (say the mean of outcome and answer probability). Throws
  /// core::UsageError for options out of range; core::Error when sizes disagree, a value is not finite, targets
  /// of an iterative kind leave [0, 1], or all inputs of a kernel are equal.
  static MenuScorer fit(const Matrix& x, const Matrix& y, const ScorerOptions& options);

  /// Scores [n, m] that each training row would get from a fit without the rows of its group (`groups` [n]: a number a
  /// row), in closed form: for the rows g of a group y_g − α R_gg⁻¹ coef_g, R = α (HKH + αI)⁻¹ − 11ᵀ/n.
  /// Standardisation and bandwidth stay those of all rows. Ridges only: throws core::UsageError for iterative kinds,
  /// and core::Error for fewer than two groups; else as fit.
  static Matrix leave_groups_out(const Matrix& x, const Matrix& y, std::span<const int> groups,
                                 const ScorerOptions& options);

  /// Scores [rows, m] of inputs [rows, f]. Throws core::Error for another width.
  Matrix score(const Matrix& x) const;

  int inputs() const;   ///< f
  int outputs() const;  ///< m
  const ScorerOptions& options() const;

  /// State as bytes, options apart. load throws core::Error when they are damaged or do not fit the options' kind.
  std::string save() const;
  static MenuScorer load(const std::string& bytes, const ScorerOptions& options);

 private:
  struct Model;
  explicit MenuScorer(std::shared_ptr<const Model> model);
  std::shared_ptr<const Model> model_;
};

}  // namespace polar::predict
