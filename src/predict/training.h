#pragma once
// Training of the program predictor (method.md 3): AdamW without weight decay, cosine schedule with warm-up, the best
// epoch on validation kept.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "predict/features.h"
#include "predict/learning_curve.h"
#include "predict/loss.h"
#include "predict/predictor.h"
#include "predict/targets.h"

namespace polar::predict {

/// Examples by index; borrowed for the call. Examples without targets are passed over (make_targets has counted them).
struct TrainingSet {
  std::span<const TokenFeatures> features;
  std::span<const ExampleTargets> targets;  ///< as many as features
  std::span<const double>
      weights;  ///< as many, > 0 (say to mix levels), brought to mean 1 over those with targets; empty = 1 each
  /// As many, or none: every program known to be valid, whether it is a target or not. Read on validation, to say
  /// whether a top-1 program is valid.
  std::span<const std::vector<core::Program>> valid = {};
};

/// Which epoch is kept. Without valid programs, membership is as loss; without validation targets, the last one is
/// kept.
enum class Selection {
  kLoss,       ///< lowest validation loss, as published
  kMembership  ///< highest valid_membership (top_one.h), of equals the lowest validation loss
};

/// Defaults are the released README's. There, one row is an (example, program) pair, the weights of mean 1 an example;
/// here a row is an example with all its programs at once (loss.h), so that an epoch has fewer steps: use a smaller
/// batch or more epochs for as many, and TrainingSet::weights where an example shall weigh by its programs.
struct TrainingOptions {
  int epochs = 10;
  int batch = 128;  ///< examples a step
  double learning_rate = 5e-4;
  int warmup_steps = 10;
  std::uint64_t seed = 42;  ///< shuffling and dropout
  LossKind loss = LossKind::kAverage;
  BoundaryPositions positions = BoundaryPositions::kAll;
  double identity_penalty = 0;  ///< ≥ 0 (loss.h)
  double class_balance = 1;     ///< bound ≥ 1 of class_weights, from the training targets; 1: off
  double clip = 0;              ///< longest gradient (2-norm over all parameters); 0: any
  Selection selection = Selection::kLoss;
  int patience = 0;                 ///< stop after so many epochs without a better one; 0: never
  double boundary_threshold = 0.5;  ///< DecodeOptions::boundary_threshold of the top-1 programs on validation
  double length_penalty = 0;        ///< DecodeOptions::length_penalty of the same
  int beam = 5;                     ///< DecodeOptions::beam of the same
  bool standardise_inputs = true;   ///< Network::standardise_to the training features
  /// Written after each epoch and gone on from when it is this very training's (same predictor, sets, options, LibTorch
  /// and number of threads); another's is passed over and replaced. Left at the end: remove it when what follows is
  /// safe. Empty: none.
  std::filesystem::path checkpoint;
  std::function<void(const EpochRecord&, int epochs)> progress;  ///< called after each epoch trained; may be empty
  std::function<void(const std::string&)> say;                   ///< a line about the checkpoint; may be empty
  const std::atomic<bool>* interrupt = nullptr;                  ///< checked before each step
};

struct TrainingReport {
  std::vector<EpochRecord> curve;  ///< shorter than `epochs` when it was stopped early
  int best_epoch = 0;              ///< whose weights were kept: by `selection`, the earliest of equals
  std::int64_t parameters = 0;
  int train_examples = 0;  ///< with targets
  int valid_examples = 0;  ///< with targets
  double seconds = 0;      ///< wall clock of this call
};

/// rate · (step + 1) / warmup while step < warmup, then rate · (1 + cos(π (step − warmup) / (total − warmup))) / 2.
/// Steps from 0; warmup is cut to total − 1.
double scheduled_learning_rate(double rate, int step, int warmup, int total);

/// Trains in place and leaves the best epoch's weights. Same predictor, sets, options, LibTorch and number of threads:
/// same weights to the last bit, interrupted and gone on from a checkpoint or not (seeds LibTorch's global generator;
/// the number of threads is the process's, at::set_num_threads). Works under the caller's inference mode. `targets`:
/// what the targets were made with. Throws core::Error when no training example has targets, sizes disagree or the loss
/// is not finite, core::Interrupted when *interrupt becomes true (the weights are then those of some step),
/// core::UsageError for options out of range.
TrainingReport train(Predictor& predictor, const TrainingSet& training, const TrainingSet& validation,
                     const TargetOptions& targets, const TrainingOptions& options);

}  // namespace polar::predict
