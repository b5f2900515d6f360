#pragma once
// Loss of the program predictor (method.md 3): binary cross-entropy over boundaries plus cross-entropy over operations
// at the reference's segment starts, each a mean per (example, target) pair:
//
//   L(z, o; b, a) = mean_{d in P} BCE(z_d, b_d) + (1/S) sum_{d: b_d = 1} −log softmax(o_d)[a_d]
//
// P: positions of PoLar's equation (first_layer … D−1) or of its released code (without the first, which always starts
// a segment); S: segments of the target. An example's loss is the weighted mean over its targets (weights of mean 1), a
// batch's the weighted mean over its examples. Both terms are linear in the labels, so an example's targets are summed
// into dense labels once: the released code's expectation over (example, program) rows at the cost of one row an
// example.

#include <vector>

#include "predict/decode.h"
#include "predict/targets.h"

namespace at {
class Tensor;
}

namespace polar::predict {

enum class BoundaryPositions {
  kAll,        ///< first_layer … D−1, as the paper writes
  kAfterFirst  ///< first_layer+1 … D−1, as the released code computes
};

struct LossOptions {
  int first_layer = 0;
  BoundaryPositions positions = BoundaryPositions::kAll;
};

/// Labels of one example, averaged over its targets with their weights.
struct DenseTargets {
  std::vector<float> boundary;   ///< [D] in [0, 1]: weighted share of the targets with a segment start here
  std::vector<float> operation;  ///< [D, C] ≥ 0, sums to 1: weight of −log softmax(o_d)[c]
};

/// Throws core::Error when `targets` is empty or does not have `depth` layers and runs below `operations`.
DenseTargets dense_targets(const ExampleTargets& targets, int depth, int operations);

/// Per-example loss terms, natural logarithm.
struct LossParts {
  double boundary = 0;
  double operation = 0;
  double total() const { return boundary + operation; }
};

/// Both terms for one example's logits.
LossParts example_loss(const ProgramLogits& logits, const ExampleTargets& targets, const LossOptions& options);

/// The same for a batch, differentiable: logits and targets float32 [B, D] and [B, D, C]; returns float32 [B, 2], the
/// boundary and the operation term of each example.
at::Tensor batch_loss(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                      const at::Tensor& boundary_targets, const at::Tensor& operation_targets,
                      const LossOptions& options);

}  // namespace polar::predict
