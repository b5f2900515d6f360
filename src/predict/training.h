#pragma once
// Training of the program predictor (method.md 3): AdamW without weight decay, cosine schedule with warm-up, best
// validation loss kept.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "predict/features.h"
#include "predict/loss.h"
#include "predict/predictor.h"
#include "predict/targets.h"

namespace polar::predict {

/// Examples by index; borrowed for the call. Examples without targets are passed over (make_targets has counted them).
struct TrainingSet {
  std::span<const TokenFeatures> features;
  std::span<const ExampleTargets> targets;  ///< as many as features
  std::span<const double>
      weights;  ///< as many, > 0 (say to mix levels), normalised in each batch to mean 1; empty = 1 each
};

struct EpochRecord {
  int epoch = 0;                     ///< from 1
  double train_loss = 0;             ///< weighted mean over the epoch's batches as they were met, dropout on
  std::optional<double> valid_loss;  ///< weighted mean after the epoch, dropout off; none without validation targets
  double learning_rate = 0;          ///< of the epoch's last step
};

/// Defaults are the released README's. There, one row is an (example, program) pair with weights of sum 1 an example;
/// here a row is an example with all its programs at once (loss.h), so that an epoch has fewer steps: use a smaller
/// batch or more epochs for as many.
struct TrainingOptions {
  int epochs = 10;
  int batch = 128;  ///< examples a step
  double learning_rate = 5e-4;
  int warmup_steps = 10;
  std::uint64_t seed = 42;                                       ///< shuffling and dropout
  BoundaryPositions positions = BoundaryPositions::kAll;         ///< of the boundary loss
  bool standardise_inputs = true;                                ///< Network::standardise_to the training features
  std::function<void(const EpochRecord&, int epochs)> progress;  ///< called after each epoch; may be empty
  const std::atomic<bool>* interrupt = nullptr;                  ///< checked before each step
};

struct TrainingReport {
  std::vector<EpochRecord> curve;
  int best_epoch =
      0;  ///< whose weights were kept: lowest validation loss (earliest of equals), or the last without validation
  std::int64_t parameters = 0;
  int train_examples = 0;  ///< with targets
  int valid_examples = 0;  ///< with targets
  double seconds = 0;      ///< wall clock
};

/// rate · (step + 1) / warmup while step < warmup, then rate · (1 + cos(π (step − warmup) / (total − warmup))) / 2.
/// Steps from 0; warmup is cut to total − 1.
double scheduled_learning_rate(double rate, int step, int warmup, int total);

/// Trains in place and leaves the best epoch's weights. Same predictor, sets, options, LibTorch and number of threads:
/// same weights to the last bit (seeds LibTorch's global generator; the number of threads is the process's,
/// at::set_num_threads). Works under the caller's inference mode. first_layer: of the targets. Throws core::Error when
/// no training example has targets, sizes disagree or the loss is not finite, core::Interrupted when *interrupt becomes
/// true (the weights are then those of some step), core::UsageError for options out of range.
TrainingReport train(Predictor& predictor, const TrainingSet& training, const TrainingSet& validation, int first_layer,
                     const TrainingOptions& options);

}  // namespace polar::predict
