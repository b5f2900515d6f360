#include "predict/loss.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "core/error.h"

namespace polar::predict {

DenseTargets dense_targets(const ExampleTargets& targets, int depth, int operations) {
  if (targets.empty()) throw core::Error("predictor loss: expected at least one target program, found none");
  DenseTargets dense{std::vector<float>(depth, 0), std::vector<float>(static_cast<std::size_t>(depth) * operations, 0)};
  for (const SegmentTarget& target : targets) {
    if (static_cast<int>(target.boundary.size()) != depth || static_cast<int>(target.operation.size()) != depth) {
      throw core::Error(
          fmt::format("predictor loss: expected a target over {} layers, found {} boundaries and {} operations", depth,
                      target.boundary.size(), target.operation.size()));
    }
    int segments = 0;
    for (int start : target.boundary) segments += start;
    const double share = target.weight / static_cast<double>(targets.size());
    for (int layer = 0; layer < depth; ++layer) {
      if (target.boundary[layer] == 0) continue;
      const int runs = target.operation[layer];
      if (runs < 0 || runs >= operations) {
        throw core::Error(
            fmt::format("predictor loss: layer {}: expected runs in 0 … {}, found {}", layer, operations - 1, runs));
      }
      dense.boundary[layer] += static_cast<float>(share);
      dense.operation[static_cast<std::size_t>(layer) * operations + runs] += static_cast<float>(share / segments);
    }
  }
  return dense;
}

at::Tensor batch_loss(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                      const at::Tensor& boundary_targets, const at::Tensor& operation_targets,
                      const LossOptions& options) {
  const auto first = options.first_layer + (options.positions == BoundaryPositions::kAfterFirst ? 1 : 0);
  const auto positions = boundary_logits.size(1) - first;
  auto boundary = torch::zeros({boundary_logits.size(0)});
  if (positions > 0) {
    boundary = torch::binary_cross_entropy_with_logits(boundary_logits.narrow(1, first, positions),
                                                       boundary_targets.narrow(1, first, positions), {}, {},
                                                       at::Reduction::None)
                   .mean(1);
  }
  const auto operation = -(torch::log_softmax(operation_logits, -1) * operation_targets).sum({1, 2});
  return torch::stack({boundary, operation}, 1);
}

LossParts example_loss(const ProgramLogits& logits, const ExampleTargets& targets, const LossOptions& options) {
  const DenseTargets dense = dense_targets(targets, logits.depth, logits.operations);
  const auto tensor = [](const std::vector<float>& values, at::IntArrayRef shape) {
    return torch::tensor(values, torch::kFloat32).reshape(shape);
  };
  const auto depth = static_cast<std::int64_t>(logits.depth);
  const auto operations = static_cast<std::int64_t>(logits.operations);
  const torch::NoGradGuard no_grad;
  const auto parts =
      batch_loss(tensor(logits.boundary, {1, depth}), tensor(logits.operation, {1, depth, operations}),
                 tensor(dense.boundary, {1, depth}), tensor(dense.operation, {1, depth, operations}), options);
  return {parts[0][0].item<double>(), parts[0][1].item<double>()};
}

}  // namespace polar::predict
