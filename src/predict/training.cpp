#include "predict/training.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "core/error.h"
#include "core/seed.h"
#include "predict/network.h"

namespace polar::predict {
namespace {

void check_options(const TrainingOptions& options) {
  if (options.epochs < 1 || options.batch < 1 || options.warmup_steps < 0 || !(options.learning_rate > 0)) {
    throw core::UsageError(
        fmt::format("training: expected epochs >= 1, batch >= 1, warmup_steps >= 0, learning_rate > 0; found {}, "
                    "{}, {}, {}",
                    options.epochs, options.batch, options.warmup_steps, options.learning_rate));
  }
}

/// The examples that have targets, with dense labels.
class Rows {
 public:
  Rows(const TrainingSet& set, const PredictorShape& shape, const std::string& name) : shape_(shape) {
    if (set.targets.size() != set.features.size() ||
        (!set.weights.empty() && set.weights.size() != set.features.size())) {
      throw core::Error(fmt::format("{} set: expected targets and weights for {} examples, found {} and {}", name,
                                    set.features.size(), set.targets.size(), set.weights.size()));
    }
    for (std::size_t i = 0; i < set.features.size(); ++i) {
      if (set.targets[i].empty()) continue;
      check_features(set.features[i], shape.input_width, fmt::format("{} example {}", name, i));
      const double weight = set.weights.empty() ? 1.0 : set.weights[i];
      if (!(weight > 0))
        throw core::Error(fmt::format("{} example {}: weight: expected > 0, found {}", name, i, weight));
      features_.push_back(&set.features[i]);
      dense_.push_back(dense_targets(set.targets[i], shape.depth, shape.operations));
      weights_.push_back(weight);
    }
  }

  std::size_t size() const { return features_.size(); }
  const std::vector<const TokenFeatures*>& features() const { return features_; }

  struct Loss {
    torch::Tensor mean;  ///< weighted, scalar
    double weight = 0;   ///< sum of weights
  };

  /// Weighted mean loss of the rows named.
  Loss loss(const Network& network, std::span<const std::size_t> rows, const LossOptions& options) const {
    std::vector<const TokenFeatures*> inputs;
    std::vector<float> boundary, operation, weights;
    for (std::size_t row : rows) {
      inputs.push_back(features_[row]);
      boundary.insert(boundary.end(), dense_[row].boundary.begin(), dense_[row].boundary.end());
      operation.insert(operation.end(), dense_[row].operation.begin(), dense_[row].operation.end());
      weights.push_back(static_cast<float>(weights_[row]));
    }
    const auto batch = static_cast<std::int64_t>(rows.size());
    const auto [boundary_logits, operation_logits] = network.forward(inputs);
    const auto parts =
        batch_loss(boundary_logits, operation_logits, torch::tensor(boundary).reshape({batch, shape_.depth}),
                   torch::tensor(operation).reshape({batch, shape_.depth, shape_.operations}), options);
    const auto weight = torch::tensor(weights);
    return {(parts.sum(1) * weight).sum() / weight.sum(), weight.sum().item<double>()};
  }

 private:
  PredictorShape shape_;
  std::vector<const TokenFeatures*> features_;
  std::vector<DenseTargets> dense_;
  std::vector<double> weights_;
};

/// Turns dropout off again, however training ends.
struct EndTraining {
  Network& network;
  ~EndTraining() { network.set_training(false); }
};

/// Weighted mean of batch losses.
struct RunningMean {
  double sum = 0, weight = 0;
  void add(double value, double value_weight) {
    sum += value * value_weight;
    weight += value_weight;
  }
  double value() const { return sum / weight; }
};

std::optional<double> validation_loss(Network& network, const Rows& rows, int batch, const LossOptions& options) {
  if (rows.size() == 0) return std::nullopt;
  const torch::NoGradGuard no_grad;
  network.set_training(false);
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  RunningMean mean;
  for (std::size_t start = 0; start < order.size(); start += batch) {
    const auto part = std::span(order).subspan(start, std::min<std::size_t>(batch, order.size() - start));
    const auto loss = rows.loss(network, part, options);
    mean.add(loss.mean.item<double>(), loss.weight);
  }
  return mean.value();
}

void set_learning_rate(torch::optim::AdamW& optimiser, double rate) {
  for (auto& group : optimiser.param_groups()) static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
}

/// One pass over the training rows in the epoch's own order.
EpochRecord train_epoch(Network& network, torch::optim::AdamW& optimiser, const Rows& rows,
                        const LossOptions& loss_options, const TrainingOptions& options, int epoch) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  core::Random random(core::derive_seed(options.seed, "predictor.shuffle", std::to_string(epoch)));
  random.shuffle(order);
  network.set_training(true);
  const int steps = static_cast<int>((rows.size() + options.batch - 1) / options.batch);
  EpochRecord record{epoch, 0, std::nullopt, 0};
  RunningMean mean;
  for (int step = 0; step < steps; ++step) {
    if (options.interrupt != nullptr && options.interrupt->load()) {
      throw core::Interrupted(fmt::format(
          "training interrupted in epoch {} of {}; run it again to train from the start", epoch, options.epochs));
    }
    record.learning_rate = scheduled_learning_rate(options.learning_rate, (epoch - 1) * steps + step,
                                                   options.warmup_steps, options.epochs * steps);
    set_learning_rate(optimiser, record.learning_rate);
    const std::size_t start = static_cast<std::size_t>(step) * options.batch;
    const auto part = std::span(order).subspan(start, std::min<std::size_t>(options.batch, order.size() - start));
    optimiser.zero_grad();
    const auto loss = rows.loss(network, part, loss_options);
    loss.mean.backward();
    optimiser.step();
    mean.add(loss.mean.item<double>(), loss.weight);
  }
  record.train_loss = mean.value();
  if (!std::isfinite(record.train_loss)) {
    throw core::Error(
        fmt::format("training: epoch {}: expected a finite loss, found {}; lower the learning rate (now {})", epoch,
                    record.train_loss, options.learning_rate));
  }
  return record;
}

}  // namespace

double scheduled_learning_rate(double rate, int step, int warmup, int total) {
  warmup = std::min(warmup, total - 1);
  if (step < warmup) return rate * (step + 1) / warmup;
  const double progress = static_cast<double>(step - warmup) / (total - warmup);
  return rate * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

TrainingReport train(Predictor& predictor, const TrainingSet& training, const TrainingSet& validation, int first_layer,
                     const TrainingOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  // 1. Rows with targets, in a mode that records gradients whatever the caller's is.
  check_options(options);
  const c10::InferenceMode normal(false);
  const torch::AutoGradMode record_gradients(true);
  const Rows rows(training, predictor.shape(), "training");
  const Rows valid_rows(validation, predictor.shape(), "validation");
  if (rows.size() == 0) {
    throw core::Error(fmt::format(
        "training: expected at least one example with a valid program in segment form, found none among {}; "
        "search longer, or allow longer segments or more runs",
        training.features.size()));
  }
  // 2. Network and optimiser.
  Network& network = predictor.network();
  const EndTraining end{network};
  torch::manual_seed(core::derive_seed(options.seed, "predictor.dropout"));
  if (options.standardise_inputs) network.standardise_to(rows.features());
  torch::optim::AdamW optimiser(network.parameters(),
                                torch::optim::AdamWOptions(options.learning_rate).eps(1e-8).weight_decay(0));
  const LossOptions loss_options{first_layer, options.positions};
  TrainingReport report;
  report.parameters = predictor.parameter_count();
  report.train_examples = static_cast<int>(rows.size());
  report.valid_examples = static_cast<int>(valid_rows.size());
  // 3. Epochs; the best weights are kept.
  std::string best;
  std::optional<double> best_loss;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    EpochRecord record = train_epoch(network, optimiser, rows, loss_options, options, epoch);
    record.valid_loss = validation_loss(network, valid_rows, options.batch, loss_options);
    if (!record.valid_loss || !best_loss || *record.valid_loss < *best_loss) {
      best_loss = record.valid_loss;
      report.best_epoch = epoch;
      best = network.save();
    }
    report.curve.push_back(record);
    if (options.progress) options.progress(record, options.epochs);
  }
  // 4. Leave the best ones.
  network.load(best);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace polar::predict
