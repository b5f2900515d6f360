#pragma once
// One small network for each routed layer: pooled states entering the layer → logits over its choices. LibTorch stays
// behind the pointer.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "predict/features.h"

namespace at {
class Tensor;
}

namespace polar::predict {

/// What a layer's router computes of each window of the prompt (features.h, window_means); the logits of a prompt are
/// the mean over its windows. N(x) = x / sqrt(mean(x²) + 1e-6), whose gain the next Linear holds.
///
/// kDrllm, as published (arXiv 2510.12773): Linear(d → hidden) – GELU (tanh) – Linear(hidden → 3). Deviation: the
/// released code drops the rows that do not fill a window, up to half of a short prompt.
///
/// kMindskip: one logit N(x) – Linear(d → 1, no bias), whose sigmoid > 0.5 executes the layer. The router of MindSkip
/// ("Router-Tuning", arXiv 2410.13184) in its granularity of sequences. Deviations: there it skips the attention or the
/// feed-forward part alone, is trained through the language model's loss under a penalty on capacity, and reads the
/// mean over all normalised rows; here it skips whole layers, learns the labels of Dr.LLM, and reads windows whose
/// means are normalised.
///
/// kFlexidepth: one logit N(x) – Linear(d → d/16) – tanh – N – Linear(d/16 → d) – Linear(d → 1), without biases. The
/// router of FlexiDepth (arXiv 2503.23798). Deviations: there every token is routed by itself, a skipped layer keeps
/// its keys and values and runs a trained adapter, and the router is trained with these through the language model's
/// loss; here one decision holds for the prompt and its answer, a skipped layer does nothing, and the router learns the
/// labels of Dr.LLM.
enum class RouterKind { kDrllm, kMindskip, kFlexidepth };

std::span<const RouterKind> router_kinds();
std::string_view to_string(RouterKind kind);  ///< "drllm", "mindskip", "flexidepth": the policies' names
/// Throws core::Error for another name.
RouterKind router_kind(std::string_view name);

struct RouterShape {
  RouterKind kind = RouterKind::kDrllm;
  int layers = 0;    ///< routed ones
  int width = 0;     ///< d
  int hidden = 128;  ///< kDrllm's only
  int windows = 8;
  friend bool operator==(const RouterShape&, const RouterShape&) = default;
};

/// The routers of all layers, float32 on the CPU. Owns its weights; move-only. logits() may be called from several
/// threads as long as nobody trains.
class RouterNetwork {
 public:
  /// Random weights from `seed` (seeds LibTorch's global generator), made outside inference mode. Throws
  /// core::UsageError for sizes out of range.
  RouterNetwork(const RouterShape& shape, std::uint64_t seed);
  ~RouterNetwork();
  RouterNetwork(RouterNetwork&&) noexcept;
  RouterNetwork& operator=(RouterNetwork&&) noexcept;

  const RouterShape& shape() const { return shape_; }
  /// 3: skip, execute, repeat; 2: skip (logit 0) and execute.
  int classes() const { return shape_.kind == RouterKind::kDrllm ? 3 : 2; }
  std::int64_t parameter_count() const;

  /// Logits [classes] of router `layer` (from 0: the first routed layer) for one prompt's windows. Throws core::Error
  /// for features of another width, empty or not finite.
  std::vector<float> logits(int layer, const TokenFeatures& windows) const;

  /// The same for a batch: windows [B, W, d], shares [B, W] (1 over a prompt's windows, 0 for padding) → [B, classes].
  /// Records gradients as the caller's mode says.
  at::Tensor forward(int layer, const at::Tensor& windows, const at::Tensor& shares) const;
  /// Trainable parameters of a router, in a fixed order; sharing storage with the network.
  std::vector<at::Tensor> parameters(int layer) const;

  /// Weights as bytes, and back. load throws core::Error when they are damaged or of another shape.
  std::string save() const;
  void load(const std::string& bytes);

 private:
  struct Impl;
  RouterShape shape_;
  std::shared_ptr<Impl> impl_;
};

}  // namespace polar::predict
