#include "predict/training.h"

#include <fmt/format.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>
#include <sstream>

#include "core/error.h"
#include "core/seed.h"
#include "predict/checkpoint.h"
#include "predict/network.h"
#include "predict/top_one.h"
#include "predict/training_digest.h"
#include "predict/training_rows.h"

namespace polar::predict {
namespace {

void check_options(const TrainingOptions& options) {
  if (options.epochs < 1 || options.batch < 1 || options.warmup_steps < 0 || !(options.learning_rate > 0)) {
    throw core::UsageError(
        fmt::format("training: expected epochs >= 1, batch >= 1, warmup_steps >= 0, learning_rate > 0; found {}, "
                    "{}, {}, {}",
                    options.epochs, options.batch, options.warmup_steps, options.learning_rate));
  }
  if (!(options.identity_penalty >= 0) || !(options.clip >= 0) || options.patience < 0) {
    throw core::UsageError(
        fmt::format("training: expected identity_penalty >= 0, clip >= 0, patience >= 0; found {}, {}, {}",
                    options.identity_penalty, options.clip, options.patience));
  }
}

/// Weighted mean of batch losses.
struct RunningMean {
  double sum = 0, weight = 0;
  void add(double value, double value_weight) {
    sum += value * value_weight;
    weight += value_weight;
  }
  double value() const { return sum / weight; }
};

std::vector<std::size_t> in_order(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

std::span<const std::size_t> batch_of(const std::vector<std::size_t>& order, int step, int batch) {
  const std::size_t start = static_cast<std::size_t>(step) * static_cast<std::size_t>(batch);
  return std::span(order).subspan(start, std::min(static_cast<std::size_t>(batch), order.size() - start));
}

/// What train() does, over the predictor's network.
class Training {
 public:
  Training(Predictor& predictor, const TrainingSet& training, const TrainingSet& validation,
           const TargetOptions& targets, const TrainingOptions& options)
      : predictor_(predictor),
        network_(predictor.network()),
        validation_(validation),
        options_(options),
        decoding_{.limits = targets.limits,
                  .first_layer = targets.first_layer,
                  .boundary_threshold = options.boundary_threshold,
                  .beam = options.beam,
                  .length_penalty = options.length_penalty},
        loss_{targets.first_layer, options.positions, options.loss, options.identity_penalty},
        class_weights_(class_weights(training.targets, predictor.shape().depth, predictor.shape().operations,
                                     options.class_balance)),
        rows_(training, predictor.shape(), loss_, class_weights_, "training"),
        valid_rows_(validation, predictor.shape(), loss_, class_weights_, "validation"),
        optimiser_(network_.parameters(), torch::optim::AdamWOptions(options.learning_rate).eps(1e-8).weight_decay(0)) {
    if (rows_.size() == 0) {
      throw core::Error(fmt::format(
          "training: expected at least one example with a valid program in segment form, found none among {}; "
          "search longer, or allow longer segments or more runs",
          training.features.size()));
    }
    if (!options.checkpoint.empty()) {
      state_.digest = training_digest(predictor, {training, validation}, targets, options,
                                      fmt::format("LibTorch {}, {} threads", TORCH_VERSION, at::get_num_threads()));
    }
  }
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;
  /// Turns dropout off again, however training ends.
  ~Training() { network_.set_training(false); }

  TrainingReport run() {
    if (options_.standardise_inputs) network_.standardise_to(rows_.features());
    resume();
    while (!ended()) {
      EpochRecord record = train_epoch(epochs_done() + 1);
      validate(record);
      keep(record);
      if (options_.progress) options_.progress(record, options_.epochs);
    }
    network_.load(state_.best);
    TrainingReport report;
    report.curve = state_.curve;
    report.best_epoch = state_.best_epoch;
    report.parameters = predictor_.parameter_count();
    report.train_examples = static_cast<int>(rows_.size());
    report.valid_examples = static_cast<int>(valid_rows_.size());
    return report;
  }

 private:
  int epochs_done() const { return static_cast<int>(state_.curve.size()); }

  bool ended() const {
    const bool impatient = options_.patience > 0 && epochs_done() - state_.best_epoch >= options_.patience;
    return epochs_done() == options_.epochs || impatient;
  }

  void resume() {
    auto found = checkpoint_of(options_.checkpoint, state_.digest, options_.say);
    if (!found) return;
    network_.load(found->network);
    std::istringstream in(found->optimiser);
    torch::load(optimiser_, in);
    state_ = std::move(*found);
    say(fmt::format("{}: training goes on after epoch {}", options_.checkpoint.string(), epochs_done()));
  }

  /// One pass over the training rows in the epoch's own order, with the epoch's own dropout.
  EpochRecord train_epoch(int epoch) {
    std::vector<std::size_t> order = in_order(rows_.size());
    core::Random random(core::derive_seed(options_.seed, "predictor.shuffle", std::to_string(epoch)));
    random.shuffle(order);
    torch::manual_seed(core::derive_seed(options_.seed, "predictor.dropout", std::to_string(epoch)));
    network_.set_training(true);
    const int steps = static_cast<int>((rows_.size() + options_.batch - 1) / options_.batch);
    EpochRecord record;
    record.epoch = epoch;
    RunningMean mean;
    for (int step = 0; step < steps; ++step) {
      stop_if_interrupted(epoch);
      record.learning_rate = scheduled_learning_rate(options_.learning_rate, (epoch - 1) * steps + step,
                                                     options_.warmup_steps, options_.epochs * steps);
      const auto [loss, weight] = train_step(batch_of(order, step, options_.batch), record.learning_rate);
      mean.add(loss, weight);
    }
    record.train_loss = mean.value();
    if (!std::isfinite(record.train_loss)) {
      throw core::Error(
          fmt::format("training: epoch {}: expected a finite loss, found {}; lower the learning rate (now {})", epoch,
                      record.train_loss, options_.learning_rate));
    }
    return record;
  }

  /// The batch's loss before the step, and its weight.
  std::pair<double, double> train_step(std::span<const std::size_t> batch, double learning_rate) {
    for (auto& group : optimiser_.param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(learning_rate);
    optimiser_.zero_grad();
    const auto [loss, weight] = rows_.loss(network_, batch);
    loss.backward();
    if (options_.clip > 0) torch::nn::utils::clip_grad_norm_(network_.parameters(), options_.clip);
    optimiser_.step();
    return {loss.item<double>(), weight};
  }

  void stop_if_interrupted(int epoch) const {
    if (options_.interrupt == nullptr || !options_.interrupt->load()) return;
    throw core::Interrupted(
        fmt::format("training interrupted in epoch {} of {}; run it again to {}", epoch, options_.epochs,
                    options_.checkpoint.empty() ? "train from the start" : "go on with this epoch"));
  }

  void validate(EpochRecord& record) {
    network_.set_training(false);
    if (valid_rows_.size() > 0) {
      const torch::NoGradGuard no_grad;
      const std::vector<std::size_t> order = in_order(valid_rows_.size());
      RunningMean mean;
      for (int step = 0; static_cast<std::size_t>(step) * options_.batch < order.size(); ++step) {
        const auto [loss, weight] = valid_rows_.loss(network_, batch_of(order, step, options_.batch));
        mean.add(loss.item<double>(), weight);
      }
      record.valid_loss = mean.value();
    }
    if (validation_.valid.empty()) return;
    if (const auto score = score_top_one(predictor_.logits(validation_.features), validation_.valid, decoding_)) {
      record.valid_membership = score->membership;
      record.valid_identity = score->identity;
    }
  }

  bool better(const EpochRecord& record) const {
    if (state_.best_epoch == 0) return true;
    const EpochRecord& best = state_.curve[static_cast<std::size_t>(state_.best_epoch) - 1];
    if (options_.selection == Selection::kMembership && record.valid_membership != best.valid_membership)
      return record.valid_membership > best.valid_membership;
    const bool unknown = options_.selection == Selection::kMembership ? !record.valid_membership && !record.valid_loss
                                                                      : !record.valid_loss;
    return unknown || record.valid_loss < best.valid_loss;
  }

  void keep(const EpochRecord& record) {
    std::string weights = network_.save();
    if (better(record)) {
      state_.best_epoch = record.epoch;
      state_.best = weights;
    }
    state_.curve.push_back(record);
    if (options_.checkpoint.empty()) return;
    std::ostringstream out;
    torch::save(optimiser_, out);
    state_.network = std::move(weights);
    state_.optimiser = std::move(out).str();
    write_checkpoint(options_.checkpoint, state_);
  }

  void say(const std::string& line) const {
    if (options_.say) options_.say(line);
  }

  Predictor& predictor_;
  Network& network_;
  const TrainingSet& validation_;
  const TrainingOptions& options_;
  DecodeOptions decoding_;
  LossOptions loss_;
  std::vector<double> class_weights_;
  TrainingRows rows_, valid_rows_;
  torch::optim::AdamW optimiser_;
  Checkpoint state_;  ///< so far
};

}  // namespace

double scheduled_learning_rate(double rate, int step, int warmup, int total) {
  warmup = std::min(warmup, total - 1);
  if (step < warmup) return rate * (step + 1) / warmup;
  const double progress = static_cast<double>(step - warmup) / (total - warmup);
  return rate * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

TrainingReport train(Predictor& predictor, const TrainingSet& training, const TrainingSet& validation,
                     const TargetOptions& targets, const TrainingOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  check_options(options);
  // A mode that records gradients, whatever the caller's is.
  const c10::InferenceMode normal(false);
  const torch::AutoGradMode record_gradients(true);
  TrainingReport report = Training(predictor, training, validation, targets, options).run();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace polar::predict
