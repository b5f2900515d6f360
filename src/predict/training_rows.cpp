#include "predict/training_rows.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "predict/network.h"
#include "predict/training.h"

namespace polar::predict {
namespace {

void check_sizes(const TrainingSet& set, const std::string& name) {
  const auto fits = [&](std::size_t size) { return size == 0 || size == set.features.size(); };
  if (set.targets.size() == set.features.size() && fits(set.weights.size()) && fits(set.valid.size())) return;
  throw core::Error(
      fmt::format("{} set: expected targets, and weights and valid programs if any, for {} examples, found {}, {} and "
                  "{}",
                  name, set.features.size(), set.targets.size(), set.weights.size(), set.valid.size()));
}

/// Copies values into the tensor's rows from `row` on.
void put(torch::Tensor& tensor, std::int64_t row, const std::vector<float>& values) {
  std::ranges::copy(values, tensor.data_ptr<float>() + row * tensor.stride(0));
}

}  // namespace

TrainingRows::TrainingRows(const TrainingSet& set, const PredictorShape& shape, const LossOptions& options,
                           std::span<const double> class_weights, const std::string& name)
    : shape_(shape), options_(options) {
  check_sizes(set, name);
  for (std::size_t i = 0; i < set.features.size(); ++i) {
    if (set.targets[i].empty()) continue;
    check_features(set.features[i], shape.input_width, fmt::format("{} example {}", name, i));
    const double weight = set.weights.empty() ? 1.0 : set.weights[i];
    if (!(weight > 0)) throw core::Error(fmt::format("{} example {}: weight: expected > 0, found {}", name, i, weight));
    TargetRows labels = options.kind == LossKind::kSet ? set_rows(set.targets[i], shape.depth, shape.operations)
                                                       : average_rows(set.targets[i], shape.depth, shape.operations);
    for (std::size_t j = 0; j < labels.operation.size(); ++j)
      labels.operation[j] *= static_cast<float>(class_weights[j % class_weights.size()]);
    features_.push_back(&set.features[i]);
    labels_.push_back(std::move(labels));
    weights_.push_back(static_cast<float>(weight));
    penalised_.push_back(has_edits(set.targets[i]) ? 1.0F : 0.0F);
  }
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  for (float& weight : weights_) weight = static_cast<float>(weight * static_cast<double>(weights_.size()) / sum);
}

std::pair<at::Tensor, double> TrainingRows::loss(const Network& network, std::span<const std::size_t> rows) const {
  const auto batch = static_cast<std::int64_t>(rows.size());
  std::int64_t most = 1;
  for (const std::size_t row : rows) most = std::max<std::int64_t>(most, labels_[row].rows);
  auto boundary = torch::zeros({batch, most, shape_.depth});
  auto operation = torch::zeros({batch, most, shape_.depth, shape_.operations});
  auto log_weight = torch::full({batch, most}, -std::numeric_limits<float>::infinity());
  std::vector<const TokenFeatures*> inputs;
  std::vector<float> weights, penalised;
  for (const std::size_t row : rows) {
    const auto i = static_cast<std::int64_t>(inputs.size());
    put(boundary, i, labels_[row].boundary);
    put(operation, i, labels_[row].operation);
    put(log_weight, i, labels_[row].log_weight);
    inputs.push_back(features_[row]);
    weights.push_back(weights_[row]);
    penalised.push_back(penalised_[row]);
  }
  const auto [boundary_logits, operation_logits] = network.forward(inputs);
  auto losses = options_.kind == LossKind::kSet
                    ? batch_set_loss(boundary_logits, operation_logits, boundary, operation, log_weight, options_)
                    : batch_average_loss(boundary_logits, operation_logits, boundary.select(1, 0),
                                         operation.select(1, 0), options_)
                          .sum(1);
  if (options_.identity_penalty > 0) {
    losses = losses + options_.identity_penalty * torch::tensor(penalised) *
                          batch_identity_probability(boundary_logits, operation_logits, options_.first_layer);
  }
  return {(losses * torch::tensor(weights)).sum() / batch, static_cast<double>(batch)};
}

}  // namespace polar::predict
