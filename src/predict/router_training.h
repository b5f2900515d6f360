#pragma once
// Training of layer routers as Dr.LLM published it (method.md 5): AdamW, warm-up, cosine, teacher forced: each layer
// sees the states that the label's program leaves before it, whatever the routers of earlier layers would do.

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "predict/features.h"
#include "predict/learning_curve.h"
#include "predict/router_labels.h"
#include "predict/router_network.h"

namespace polar::predict {

/// Labelled examples; borrowed for the call.
struct RouterSet {
  std::span<const RouterLabel> labels;
  /// [routed layers][examples]: windows of the states entering the layer under the label's program.
  std::span<const std::vector<TokenFeatures>> states;
};

/// Defaults as published.
struct RouterTrainingOptions {
  int epochs = 15;
  int batch = 16;  ///< examples a step
  double learning_rate = 1e-3;
  double weight_decay = 0.01;
  int warmup_steps = 500;
  double gamma = 2;                  ///< 0 or ≥ 1 (router_loss.h)
  double beta = 0.999;               ///< of effective_number_weights, from the training labels
  std::uint64_t seed = 1;            ///< shuffling
  std::function<void()> layer_done;  ///< called after each layer, trained or found; may be empty
  /// Written after each layer and gone on from when it is of the same `digest`; another's is passed over and replaced.
  /// Left at the end: remove it when what follows is safe. Empty: none.
  std::filesystem::path checkpoint;
  std::string digest;  ///< of all that the training depends on: network, sets and these options
  std::function<void(const std::string&)> say;   ///< about the checkpoint; may be empty
  const std::atomic<bool>* interrupt = nullptr;  ///< checked before each step
};

struct RouterReport {
  std::vector<EpochRecord> curve;                            ///< losses: means over the routed layers
  std::array<std::int64_t, kLayerChoices.size()> choices{};  ///< in the training labels' routed layers
  std::vector<double> class_weights;                         ///< [classes]
  ChoiceTable valid;  ///< after training, teacher forced; empty without validation examples
  std::int64_t parameters = 0;
  int train_examples = 0;
  int valid_examples = 0;
  double seconds = 0;  ///< wall clock
};

/// An object with the members' names, `valid` as F1 by choice and accuracy; without the time, so that equal trainings
/// read alike.
nlohmann::json report_json(const RouterReport& report);

/// Trains in place and leaves the last epoch's weights, as published; validation is only reported. A router without the
/// choice to repeat learns to execute where the label repeats.
///
/// The loss is the mean over layers and examples. Teacher forcing makes it a sum of terms that each read one layer's
/// parameters, so the layers are trained one after the other, in the same order of examples: what training them at once
/// gives, up to AdamW's ε, which a layer's gradient meets unscaled, with one layer's tensors in memory.
///
/// Same network, sets and options: same weights to the last bit (one intra-op thread). Works under the caller's
/// inference mode. Throws core::Error when there is no training example, sizes disagree or the loss is not finite,
/// core::Interrupted when *interrupt becomes true (the weights are then those of some step), core::UsageError for
/// options out of range; as write_checkpoint and read_checkpoint do. A training that goes on from a checkpoint gives
/// the same weights and report as one that was never interrupted.
RouterReport train_routers(RouterNetwork& network, const RouteRules& rules, const RouterSet& training,
                           const RouterSet& validation, const RouterTrainingOptions& options);

}  // namespace polar::predict
