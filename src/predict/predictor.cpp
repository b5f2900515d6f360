#include "predict/predictor.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "core/error.h"
#include "core/seed.h"
#include "predict/network.h"

namespace polar::predict {
namespace {

void check_shape(const PredictorShape& shape) {
  if (shape.depth < 1 || shape.input_width < 1 || shape.operations < 2 || shape.encoder_layers < 0 ||
      shape.feed_forward < 1) {
    throw core::UsageError(
        fmt::format("predictor: expected depth, input width and feed-forward >= 1, operations >= 2, encoder "
                    "layers >= 0; found {}, {}, {}, {}, {}",
                    shape.depth, shape.input_width, shape.feed_forward, shape.operations, shape.encoder_layers));
  }
  if (shape.heads < 1 || shape.width < 1 || shape.width % shape.heads != 0) {
    throw core::UsageError(
        fmt::format("predictor: width: expected a multiple of its {} heads, found {}", shape.heads, shape.width));
  }
  if (!(shape.dropout >= 0 && shape.dropout < 1)) {
    throw core::UsageError(fmt::format("predictor: dropout: expected 0 <= dropout < 1, found {}", shape.dropout));
  }
}

std::vector<float> to_vector(const at::Tensor& tensor) {
  const auto flat = tensor.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

Predictor::Predictor(const PredictorShape& shape, std::uint64_t seed) : shape_(shape) {
  check_shape(shape);
  torch::manual_seed(core::derive_seed(seed, "predictor.weights"));
  network_ = std::make_unique<Network>(shape);
}

Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

std::int64_t Predictor::parameter_count() const {
  return network_->parameter_count();
}

std::vector<ProgramLogits> Predictor::logits(std::span<const TokenFeatures> inputs) const {
  const c10::InferenceMode inference;
  std::vector<ProgramLogits> results;
  results.reserve(inputs.size());
  for (const TokenFeatures& features : inputs) {
    check_features(features, shape_.input_width, "predictor input");
    const TokenFeatures* const one[] = {&features};
    const auto [boundary, operation] = network_->forward(one);
    results.push_back({shape_.depth, shape_.operations, to_vector(boundary), to_vector(operation)});
  }
  return results;
}

std::string Predictor::save() const {
  return network_->save();
}

void Predictor::load(const std::string& bytes) {
  network_->load(bytes);
}

}  // namespace polar::predict
