#include "predict/network.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "predict/predictor.h"
#include "predict/tensor_bytes.h"

namespace polar::predict {
namespace {

using torch::Tensor;
namespace nn = torch::nn;

/// Multi-head attention of queries [B, Q, d] over keys and values [B, K, d], with output projection.
struct AttentionImpl : nn::Module {
  AttentionImpl(int width, int head_count, double drop) : heads(head_count), dropout(drop) {
    for (const char* name : {"query", "key", "value", "out"}) {
      nn::Linear linear = register_module(name, nn::Linear(width, width));
      nn::init::xavier_uniform_(linear->weight);
      nn::init::zeros_(linear->bias);
      projections.push_back(linear);
    }
  }

  /// mask: bool, broadcastable to [B, heads, Q, K], true = may be read; undefined = everything.
  Tensor forward(const Tensor& queries, const Tensor& memory, const Tensor& mask) {
    const auto split = [this](const Tensor& rows) {
      return rows.reshape({rows.size(0), rows.size(1), heads, -1}).transpose(1, 2);
    };
    const auto q = split(projections[0](queries));
    const auto k = split(projections[1](memory));
    const auto v = split(projections[2](memory));
    const std::optional<Tensor> attn_mask = mask.defined() ? std::optional<Tensor>(mask) : std::nullopt;
    const auto mixed = at::scaled_dot_product_attention(q, k, v, attn_mask, is_training() ? dropout : 0.0);
    return projections[3](mixed.transpose(1, 2).flatten(2));
  }

  int heads;
  double dropout;
  std::vector<nn::Linear> projections;
};
TORCH_MODULE(Attention);

/// Post-norm encoder block over [B, D, d].
struct EncoderBlockImpl : nn::Module {
  explicit EncoderBlockImpl(const PredictorShape& shape)
      : attention(register_module("attention", Attention(shape.width, shape.heads, shape.dropout))),
        up(register_module("up", nn::Linear(shape.width, shape.feed_forward))),
        down(register_module("down", nn::Linear(shape.feed_forward, shape.width))),
        norm_attention(register_module("norm_attention", nn::LayerNorm(nn::LayerNormOptions({shape.width})))),
        norm_feed_forward(register_module("norm_feed_forward", nn::LayerNorm(nn::LayerNormOptions({shape.width})))),
        dropout(register_module("dropout", nn::Dropout(shape.dropout))) {}

  Tensor forward(const Tensor& x) {
    const auto attended = norm_attention(x + dropout(attention(x, x, Tensor())));
    return norm_feed_forward(attended + dropout(down(dropout(torch::relu(up(attended))))));
  }

  Attention attention;
  nn::Linear up, down;
  nn::LayerNorm norm_attention, norm_feed_forward;
  nn::Dropout dropout;
};
TORCH_MODULE(EncoderBlock);

std::vector<Tensor> state(const nn::Module& module) {
  std::vector<Tensor> tensors = module.parameters();
  for (const Tensor& buffer : module.buffers()) tensors.push_back(buffer);
  return tensors;
}

}  // namespace

struct Network::Impl : nn::Module {
  explicit Impl(const PredictorShape& shape)
      : input(register_module("input", nn::Linear(shape.input_width, shape.width))),
        cross(register_module("cross", Attention(shape.width, shape.heads, shape.dropout))),
        boundary(register_module("boundary", nn::Linear(shape.width, 1))),
        operation(register_module("operation", nn::Linear(shape.width, shape.operations))),
        queries(register_parameter("queries", torch::randn({shape.depth, shape.width}))),
        mean(register_buffer("mean", torch::zeros({shape.input_width}))),
        scale(register_buffer("scale", torch::ones({shape.input_width}))) {
    for (int i = 0; i < shape.encoder_layers; ++i) {
      blocks.push_back(register_module(fmt::format("block_{}", i), EncoderBlock(shape)));
    }
  }

  /// tokens [B, T, d_q], readable bool [B, T].
  std::pair<Tensor, Tensor> run(const Tensor& tokens, const Tensor& readable) {
    const auto memory = input((tokens - mean) / scale);
    auto x = cross(queries.unsqueeze(0).expand({tokens.size(0), -1, -1}), memory, readable.unsqueeze(1).unsqueeze(1));
    for (EncoderBlock& block : blocks) x = block(x);
    return {boundary(x).squeeze(-1), operation(x)};
  }

  nn::Linear input;
  Attention cross;
  nn::Linear boundary, operation;
  Tensor queries, mean, scale;
  std::vector<EncoderBlock> blocks;
};

Network::Network(const PredictorShape& shape) {
  const c10::InferenceMode normal(false);
  impl_ = std::make_shared<Impl>(shape);
  impl_->eval();
}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

std::pair<at::Tensor, at::Tensor> Network::forward(std::span<const TokenFeatures* const> inputs) const {
  const auto width = impl_->mean.size(0);
  std::int64_t longest = 1;
  for (const TokenFeatures* features : inputs) longest = std::max<std::int64_t>(longest, features->tokens);
  const auto batch = static_cast<std::int64_t>(inputs.size());
  auto tokens = torch::zeros({batch, longest, width});
  auto readable = torch::zeros({batch, longest}, torch::kBool);
  for (std::int64_t i = 0; i < batch; ++i) {
    const TokenFeatures& features = *inputs[static_cast<std::size_t>(i)];
    std::copy(features.values.begin(), features.values.end(), tokens.data_ptr<float>() + i * longest * width);
    std::fill_n(readable.data_ptr<bool>() + i * longest, features.tokens, true);
  }
  return impl_->run(tokens, readable);
}

void Network::standardise_to(std::span<const TokenFeatures* const> inputs) {
  const auto width = static_cast<std::size_t>(impl_->mean.size(0));
  std::vector<double> sum(width, 0), squares(width, 0);
  double count = 0;
  for (const TokenFeatures* features : inputs) {
    for (std::size_t i = 0; i < features->values.size(); ++i) sum[i % width] += features->values[i];
    count += features->tokens;
  }
  if (count == 0) return;
  for (double& value : sum) value /= count;
  for (const TokenFeatures* features : inputs) {
    for (std::size_t i = 0; i < features->values.size(); ++i) {
      const double difference = features->values[i] - sum[i % width];
      squares[i % width] += difference * difference;
    }
  }
  float* mean = impl_->mean.data_ptr<float>();
  float* scale = impl_->scale.data_ptr<float>();
  for (std::size_t i = 0; i < width; ++i) {
    const double deviation = std::sqrt(squares[i] / count);
    mean[i] = static_cast<float>(sum[i]);
    scale[i] = deviation > 1e-6 ? static_cast<float>(deviation) : 1.0F;
  }
}

void Network::set_training(bool on) {
  impl_->train(on);
}

std::vector<at::Tensor> Network::parameters() const {
  return impl_->parameters();
}

std::int64_t Network::parameter_count() const {
  std::int64_t count = 0;
  for (const Tensor& parameter : impl_->parameters()) count += parameter.numel();
  return count;
}

std::string Network::save() const {
  return tensors_to_bytes(state(*impl_));
}

void Network::load(const std::string& bytes) {
  read_tensors_into(state(*impl_), bytes, "predictor weights");
}

}  // namespace polar::predict
