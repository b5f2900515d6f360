#pragma once
// The predictor's network as tensors: used by predictor.cpp and training.cpp only. LibTorch stays behind the pointer.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "predict/features.h"

namespace at {
class Tensor;
}

namespace polar::predict {

struct PredictorShape;

/// PoLar's predictor (method.md 3). T tokens of width d_q →
///   Linear(d_q → width), keys and values of D learned layer queries (multi-head cross-attention, key padding mask, no
///   residual) → encoder_layers × post-norm block over the D layer positions: x = LN(x + attention(x)), x = LN(x + W2
///   relu(W1 x)) → boundary Linear(width → 1) and operation Linear(width → C).
/// Dropout as in PyTorch's modules: on attention weights, after the activation, and on both residual branches.
/// float32 on the CPU; parameters are made outside inference mode, whatever the caller's mode is. Not thread-safe while
/// training.
class Network {
 public:
  explicit Network(const PredictorShape& shape);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  /// Logits [B, D] and [B, D, C] of B inputs, padded to the longest. Records gradients as the caller's mode says.
  std::pair<at::Tensor, at::Tensor> forward(std::span<const TokenFeatures* const> inputs) const;

  /// Per-dimension mean and standard deviation over all tokens given, applied before the first Linear (an affine map
  /// that this Linear could hold itself: it only conditions the optimisation). Until called: 0 and 1.
  void standardise_to(std::span<const TokenFeatures* const> inputs);

  /// Turns dropout on or off.
  void set_training(bool on);
  /// Trainable parameters, in a fixed order; sharing storage with the network.
  std::vector<at::Tensor> parameters() const;
  std::int64_t parameter_count() const;

  /// Parameters and standardisation as bytes, and back. load throws core::Error when they are damaged or of another
  /// shape.
  std::string save() const;
  void load(const std::string& bytes);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace polar::predict
