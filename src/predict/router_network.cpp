#include "predict/router_network.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/seed.h"
#include "predict/tensor_bytes.h"

namespace polar::predict {
namespace {

namespace nn = torch::nn;

constexpr std::array kRouterKinds{RouterKind::kDrllm, RouterKind::kMindskip, RouterKind::kFlexidepth};
constexpr int kBottleneck = 16;  ///< FlexiDepth: d over the width of the bottleneck

/// N of router_network.h.
struct RowNormImpl : nn::Module {
  torch::Tensor forward(const torch::Tensor& x) { return x * torch::rsqrt(x.square().mean(-1, true) + 1e-6); }
};
TORCH_MODULE(RowNorm);

/// One logit z as those of skip and execute, (0, z): their softmax is the sigmoid of z.
struct GateLogitsImpl : nn::Module {
  torch::Tensor forward(const torch::Tensor& z) { return torch::cat({torch::zeros_like(z), z}, -1); }
};
TORCH_MODULE(GateLogits);

nn::Linear without_bias(int inputs, int outputs) {
  return nn::Linear(nn::LinearOptions(inputs, outputs).bias(false));
}

nn::Sequential router_of(const RouterShape& shape) {
  const int d = shape.width;
  switch (shape.kind) {
    case RouterKind::kMindskip:
      return nn::Sequential(RowNorm(), without_bias(d, 1), GateLogits());
    case RouterKind::kFlexidepth: {
      const int narrow = std::max(1, d / kBottleneck);
      return nn::Sequential(RowNorm(), without_bias(d, narrow), nn::Tanh(), RowNorm(), without_bias(narrow, d),
                            without_bias(d, 1), GateLogits());
    }
    case RouterKind::kDrllm:
      break;
  }
  return nn::Sequential(nn::Linear(d, shape.hidden), nn::GELU(nn::GELUOptions().approximate("tanh")),
                        nn::Linear(shape.hidden, 3));
}

void check_router_shape(const RouterShape& shape) {
  if (shape.layers >= 1 && shape.width >= 1 && shape.hidden >= 1 && shape.windows >= 1) return;
  throw core::UsageError(
      fmt::format("routers: expected layers, width, hidden and windows of at least 1, found {}, {}, {} and {}",
                  shape.layers, shape.width, shape.hidden, shape.windows));
}

}  // namespace

std::span<const RouterKind> router_kinds() {
  return kRouterKinds;
}

std::string_view to_string(RouterKind kind) {
  constexpr std::array<std::string_view, kRouterKinds.size()> kNames{"drllm", "mindskip", "flexidepth"};
  return kNames[static_cast<std::size_t>(kind)];
}

RouterKind router_kind(std::string_view name) {
  for (const RouterKind kind : kRouterKinds)
    if (to_string(kind) == name) return kind;
  throw core::Error(fmt::format("routers: expected drllm, mindskip or flexidepth, found '{}'", name));
}

struct RouterNetwork::Impl : nn::Module {
  explicit Impl(const RouterShape& shape) {
    for (int layer = 0; layer < shape.layers; ++layer)
      layers.push_back(register_module(fmt::format("layer_{}", layer), router_of(shape)));
  }
  std::vector<nn::Sequential> layers;
};

RouterNetwork::RouterNetwork(const RouterShape& shape, std::uint64_t seed) : shape_(shape) {
  check_router_shape(shape);
  const c10::InferenceMode normal(false);
  torch::manual_seed(core::derive_seed(seed, "router.weights"));
  impl_ = std::make_shared<Impl>(shape);
}

RouterNetwork::~RouterNetwork() = default;
RouterNetwork::RouterNetwork(RouterNetwork&&) noexcept = default;
RouterNetwork& RouterNetwork::operator=(RouterNetwork&&) noexcept = default;

std::int64_t RouterNetwork::parameter_count() const {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : impl_->parameters()) count += parameter.numel();
  return count;
}

at::Tensor RouterNetwork::forward(int layer, const at::Tensor& windows, const at::Tensor& shares) const {
  const auto logits = impl_->layers[static_cast<std::size_t>(layer)]->forward(windows);
  return (logits * shares.unsqueeze(-1)).sum(1);
}

std::vector<float> RouterNetwork::logits(int layer, const TokenFeatures& windows) const {
  check_features(windows, shape_.width, fmt::format("router {}", layer));
  const c10::InferenceMode inference;
  const auto rows = torch::tensor(windows.values).reshape({1, windows.tokens, windows.width});
  const auto result = forward(layer, rows, torch::full({1, windows.tokens}, 1.0 / windows.tokens)).contiguous();
  return {result.data_ptr<float>(), result.data_ptr<float>() + result.numel()};
}

std::vector<at::Tensor> RouterNetwork::parameters(int layer) const {
  return impl_->layers[static_cast<std::size_t>(layer)]->parameters();
}

std::string RouterNetwork::save() const {
  return tensors_to_bytes(impl_->parameters());
}

void RouterNetwork::load(const std::string& bytes) {
  read_tensors_into(impl_->parameters(), bytes, "router weights");
}

}  // namespace polar::predict
