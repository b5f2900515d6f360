#include "predict/training_digest.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "predict/network.h"

namespace polar::predict {
namespace {

template <typename T>
void add(core::Digest& digest, std::span<const T> values) {
  const std::size_t count = values.size();
  digest.update(&count, sizeof count);
  digest.update(values.data(), values.size_bytes());
}

void add(core::Digest& digest, const TrainingSet& set) {
  for (const TokenFeatures& features : set.features) {
    add<int>(digest, std::vector{features.tokens, features.width});
    add<float>(digest, features.values);
  }
  for (const ExampleTargets& targets : set.targets) {
    add<std::size_t>(digest, std::vector{targets.size()});
    for (const SegmentTarget& target : targets) {
      add<int>(digest, target.boundary);
      add<int>(digest, target.operation);
      add<double>(digest, std::vector{target.weight});
    }
  }
  add<double>(digest, set.weights);
  for (const std::vector<core::Program>& programs : set.valid) {
    add<std::size_t>(digest, std::vector{programs.size()});
    for (const core::Program& program : programs) add<core::Program::Layer>(digest, program.layers());
  }
}

}  // namespace

std::string training_digest(Predictor& predictor, std::initializer_list<TrainingSet> sets, const TargetOptions& targets,
                            const TrainingOptions& options, std::string_view machine) {
  const PredictorShape& shape = predictor.shape();
  const nlohmann::json settings{
      {"machine", machine},
      {"shape",
       {shape.depth, shape.input_width, shape.operations, shape.width, shape.heads, shape.encoder_layers,
        shape.feed_forward, shape.dropout}},
      {"decoding",
       {targets.first_layer, targets.limits.max_length, targets.limits.max_runs, options.length_penalty, options.beam,
        options.boundary_threshold}},
      {"schedule", {options.epochs, options.batch, options.learning_rate, options.warmup_steps, options.seed}},
      {"loss",
       {static_cast<int>(options.loss), static_cast<int>(options.positions), options.identity_penalty,
        options.class_balance, options.clip}},
      {"selection", {static_cast<int>(options.selection), options.patience, options.standardise_inputs}}};
  core::Digest digest;
  digest.update(settings.dump());
  for (const at::Tensor& parameter : predictor.network().parameters())
    digest.update(parameter.data_ptr(), static_cast<std::size_t>(parameter.nbytes()));
  for (const TrainingSet& set : sets) {
    add<std::size_t>(digest, std::vector{set.features.size()});
    add(digest, set);
  }
  return digest.finish();
}

}  // namespace polar::predict
