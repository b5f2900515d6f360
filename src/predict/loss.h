#pragma once
// Losses of the program predictor (method.md 3), natural logarithm. With boundary logits z and operation logits o, a
// program of boundaries b, operations a and S segments has, over the boundary positions P,
//
//   average:  L = mean_{d in P} BCE(z_d, b_d) + (1/S) sum_{d: b_d = 1} −log softmax(o_d)[a_d]
//   set:      −log P = sum_{d in P} BCE(z_d, b_d) + sum_{d: b_d = 1} −log softmax(o_d)[a_d]
//
// P: positions of PoLar's equation (first_layer … D−1) or of its released code (without the first, which always starts
// a segment).
// *average* is the published loss: an example's is the weighted mean of L over its targets t (weights w_t of mean 1).
// Both terms are linear in the labels, so an example's targets are summed into one row of labels: the released code's
// expectation over (example, program) rows at the cost of one row an example. Its optimum are the marginals over all
// targets, whose mode is the identity when these are many and different.
// *set* is −log sum_t w_t P_t: the probability of emitting any of them. Its optimum may be any one of them.
// In both, the operation term of class c counts class_weights[c] times, and `identity_penalty` times the probability of
// the identity is added for examples with another target.
// An epoch's loss is the weighted mean over examples.

#include <span>
#include <vector>

#include "predict/decode.h"
#include "predict/targets.h"

namespace at {
class Tensor;
}

namespace polar::predict {

enum class LossKind { kAverage, kSet };

enum class BoundaryPositions {
  kAll,        ///< first_layer … D−1, as the paper writes
  kAfterFirst  ///< first_layer+1 … D−1, as the released code computes
};

struct LossOptions {
  int first_layer = 0;
  BoundaryPositions positions = BoundaryPositions::kAll;
  LossKind kind = LossKind::kAverage;
  double identity_penalty = 0;  ///< ≥ 0
};

/// Labels of one example: one row for all its targets (average) or a row each (set).
struct TargetRows {
  int rows = 0;
  std::vector<float> boundary;    ///< [rows, D] in [0, 1]: whether a segment starts here, or the weighted share
  std::vector<float> operation;   ///< [rows, D, C] ≥ 0: weight of −log softmax(o_d)[c]; average: sums to 1
  std::vector<float> log_weight;  ///< [rows] log w_t; average: 0
};

/// Throws core::Error when `targets` is empty or does not have `depth` layers and runs below `operations`.
TargetRows average_rows(const ExampleTargets& targets, int depth, int operations);
TargetRows set_rows(const ExampleTargets& targets, int depth, int operations);

/// Weights against the frequency of operations. With f_c the weight of class c in the average loss of these examples
/// (sums to 1), class c weighs 1/(C·f_c), but no less than 1/bound and no more than bound; bound 1: every class weighs
/// 1. A class that does not occur weighs `bound`. Throws core::UsageError unless bound ≥ 1.
std::vector<double> class_weights(std::span<const ExampleTargets> examples, int depth, int operations, double bound);

/// Per-example terms of the average loss.
struct LossParts {
  double boundary = 0;
  double operation = 0;
  double total() const { return boundary + operation; }
};

/// For one example's logits, without class weights and penalty.
LossParts average_loss(const ProgramLogits& logits, const ExampleTargets& targets, const LossOptions& options);
double set_loss(const ProgramLogits& logits, const ExampleTargets& targets, const LossOptions& options);

/// Probability that a program drawn from the logits (a start where the Bernoulli of the boundary says so, and at
/// first_layer; an operation at each start) is the identity, whatever its segments, in [0, 1]. The decoder's cut of
/// long segments is left out.
double identity_probability(const ProgramLogits& logits, int first_layer);

/// The same for a batch, differentiable: logits float32 [B, D] and [B, D, C]; labels float32 [B, D] and [B, D, C],
/// with T rows [B, T, D], [B, T, D, C] and log-weights [B, T] (−infinity: no row). batch_average_loss returns float32
/// [B, 2], the boundary and the operation term of each example, the others [B].
at::Tensor batch_average_loss(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                              const at::Tensor& boundary_labels, const at::Tensor& operation_labels,
                              const LossOptions& options);
at::Tensor batch_set_loss(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                          const at::Tensor& boundary_labels, const at::Tensor& operation_labels,
                          const at::Tensor& log_weights, const LossOptions& options);
at::Tensor batch_identity_probability(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                                      int first_layer);

}  // namespace polar::predict
