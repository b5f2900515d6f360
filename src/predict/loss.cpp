#include "predict/loss.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace polar::predict {
namespace {

std::size_t label_index(int layer, int operations, int runs) {
  return static_cast<std::size_t>(layer) * static_cast<std::size_t>(operations) + static_cast<std::size_t>(runs);
}

void check(const ExampleTargets& targets, int depth, int operations) {
  if (targets.empty()) throw core::Error("predictor loss: expected at least one target program, found none");
  for (const SegmentTarget& target : targets) {
    if (static_cast<int>(target.boundary.size()) != depth || static_cast<int>(target.operation.size()) != depth) {
      throw core::Error(
          fmt::format("predictor loss: expected a target over {} layers, found {} boundaries and {} operations", depth,
                      target.boundary.size(), target.operation.size()));
    }
    for (int layer = 0; layer < depth; ++layer) {
      if (target.boundary[layer] == 0) continue;
      if (const int runs = target.operation[layer]; runs < 0 || runs >= operations) {
        throw core::Error(
            fmt::format("predictor loss: layer {}: expected runs in 0 … {}, found {}", layer, operations - 1, runs));
      }
    }
  }
}

int first_position(const LossOptions& options) {
  return options.first_layer + (options.positions == BoundaryPositions::kAfterFirst ? 1 : 0);
}

/// One example's logits and labels as a batch of one.
struct Single {
  torch::Tensor boundary_logits, operation_logits, boundary_labels, operation_labels, log_weights;

  Single(const ProgramLogits& logits, const TargetRows& labels) {
    const std::int64_t depth = logits.depth, operations = logits.operations, rows = labels.rows;
    const auto tensor = [](const std::vector<float>& values, at::IntArrayRef shape) {
      return torch::tensor(values, torch::kFloat32).reshape(shape);
    };
    boundary_logits = tensor(logits.boundary, {1, depth});
    operation_logits = tensor(logits.operation, {1, depth, operations});
    boundary_labels = tensor(labels.boundary, {1, rows, depth});
    operation_labels = tensor(labels.operation, {1, rows, depth, operations});
    log_weights = tensor(labels.log_weight, {1, rows});
  }
};

}  // namespace

TargetRows average_rows(const ExampleTargets& targets, int depth, int operations) {
  check(targets, depth, operations);
  TargetRows labels{1, std::vector<float>(depth, 0), std::vector<float>(label_index(depth, operations, 0), 0), {0}};
  for (const SegmentTarget& target : targets) {
    int segments = 0;
    for (int start : target.boundary) segments += start;
    const double share = target.weight / static_cast<double>(targets.size());
    for (int layer = 0; layer < depth; ++layer) {
      if (target.boundary[layer] == 0) continue;
      labels.boundary[layer] += static_cast<float>(share);
      labels.operation[label_index(layer, operations, target.operation[layer])] += static_cast<float>(share / segments);
    }
  }
  return labels;
}

TargetRows set_rows(const ExampleTargets& targets, int depth, int operations) {
  check(targets, depth, operations);
  TargetRows labels;
  for (const SegmentTarget& target : targets) {
    ++labels.rows;
    labels.log_weight.push_back(static_cast<float>(std::log(target.weight)));
    labels.boundary.insert(labels.boundary.end(), target.boundary.begin(), target.boundary.end());
    const std::size_t row = labels.operation.size();
    labels.operation.resize(row + label_index(depth, operations, 0), 0);
    for (int layer = 0; layer < depth; ++layer) {
      if (target.boundary[layer] != 0)
        labels.operation[row + label_index(layer, operations, target.operation[layer])] = 1;
    }
  }
  return labels;
}

std::vector<double> class_weights(std::span<const ExampleTargets> examples, int depth, int operations, double bound) {
  if (!(bound >= 1)) {
    throw core::UsageError(fmt::format("class weights: expected a bound of at least 1, found {}", bound));
  }
  std::vector<double> share(operations, 0);
  double total = 0;
  for (const ExampleTargets& targets : examples) {
    if (targets.empty()) continue;
    const TargetRows labels = average_rows(targets, depth, operations);
    for (std::size_t i = 0; i < labels.operation.size(); ++i) share[i % share.size()] += labels.operation[i];
    ++total;
  }
  std::vector<double> weights;
  for (const double each : share) {
    weights.push_back(each > 0 ? std::clamp(total / (operations * each), 1 / bound, bound) : bound);
  }
  return weights;
}

at::Tensor batch_average_loss(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                              const at::Tensor& boundary_labels, const at::Tensor& operation_labels,
                              const LossOptions& options) {
  const auto first = first_position(options);
  const auto positions = boundary_logits.size(1) - first;
  auto boundary = torch::zeros({boundary_logits.size(0)});
  if (positions > 0) {
    boundary = torch::binary_cross_entropy_with_logits(boundary_logits.narrow(1, first, positions),
                                                       boundary_labels.narrow(1, first, positions), {}, {},
                                                       at::Reduction::None)
                   .mean(1);
  }
  const auto operation = -(torch::log_softmax(operation_logits, -1) * operation_labels).sum({1, 2});
  return torch::stack({boundary, operation}, 1);
}

at::Tensor batch_set_loss(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                          const at::Tensor& boundary_labels, const at::Tensor& operation_labels,
                          const at::Tensor& log_weights, const LossOptions& options) {
  const auto first = first_position(options);
  const auto positions = boundary_logits.size(1) - first;
  // b log σ(z) + (1 − b) log σ(−z) = b z + log σ(−z), and both sums over layers are products of matrices.
  const auto z = boundary_logits.narrow(1, first, positions);
  const auto boundary = torch::bmm(boundary_labels.narrow(2, first, positions), z.unsqueeze(2)).squeeze(2) +
                        torch::log_sigmoid(-z).sum(1, /*keepdim=*/true);
  const auto operation =
      torch::bmm(operation_labels.flatten(2), torch::log_softmax(operation_logits, -1).flatten(1).unsqueeze(2))
          .squeeze(2);
  return -torch::logsumexp(boundary + operation + log_weights, 1);
}

at::Tensor batch_identity_probability(const at::Tensor& boundary_logits, const at::Tensor& operation_logits,
                                      int first_layer) {
  const auto rest = boundary_logits.size(1) - first_layer - 1;
  const auto keep = torch::log_softmax(operation_logits, -1).select(2, 1);
  const auto z = boundary_logits.narrow(1, first_layer + 1, rest);
  // Each later layer goes on with the segment, or starts one that is kept.
  const auto each =
      torch::logaddexp(torch::log_sigmoid(-z), torch::log_sigmoid(z) + keep.narrow(1, first_layer + 1, rest));
  return (keep.select(1, first_layer) + each.sum(1)).exp();
}

LossParts average_loss(const ProgramLogits& logits, const ExampleTargets& targets, const LossOptions& options) {
  const torch::NoGradGuard no_grad;
  const Single one(logits, average_rows(targets, logits.depth, logits.operations));
  const auto parts = batch_average_loss(one.boundary_logits, one.operation_logits, one.boundary_labels.select(1, 0),
                                        one.operation_labels.select(1, 0), options);
  return {parts[0][0].item<double>(), parts[0][1].item<double>()};
}

double set_loss(const ProgramLogits& logits, const ExampleTargets& targets, const LossOptions& options) {
  const torch::NoGradGuard no_grad;
  const Single one(logits, set_rows(targets, logits.depth, logits.operations));
  return batch_set_loss(one.boundary_logits, one.operation_logits, one.boundary_labels, one.operation_labels,
                        one.log_weights, options)
      .item<double>();
}

double identity_probability(const ProgramLogits& logits, int first_layer) {
  const torch::NoGradGuard no_grad;
  const std::int64_t depth = logits.depth, operations = logits.operations;
  return batch_identity_probability(torch::tensor(logits.boundary).reshape({1, depth}),
                                    torch::tensor(logits.operation).reshape({1, depth, operations}), first_layer)
      .item<double>();
}

}  // namespace polar::predict
