#pragma once
// The program predictor: token features of one input → logits over segment boundaries and operations, in one pass
// (method.md 3).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "predict/decode.h"
#include "predict/features.h"

namespace polar::predict {

class Network;

/// Sizes; defaults as published (about 2.1 M parameters for D = 24 … 36 and d_q = 1,024).
struct PredictorShape {
  int depth = 0;           ///< D
  int input_width = 0;     ///< d_q, width of the token features
  int operations = 3;      ///< C = max_runs + 1: skip, keep, repeat
  int width = 256;         ///< d; a multiple of heads
  int heads = 4;           ///< of the cross-attention and of the encoder
  int encoder_layers = 2;  ///< blocks across the D layer positions
  int feed_forward = 1024;
  double dropout = 0.1;  ///< in [0, 1), while training
  friend bool operator==(const PredictorShape&, const PredictorShape&) = default;
};

/// Owns its weights; move-only. logits() may be called from several threads as long as nobody trains.
class Predictor {
 public:
  /// Random weights from `seed` (seeds LibTorch's global generator). Throws core::UsageError for sizes out of range.
  Predictor(const PredictorShape& shape, std::uint64_t seed);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  const PredictorShape& shape() const { return shape_; }
  /// Number of trainable numbers.
  std::int64_t parameter_count() const;

  /// One result an input, in order. Each input runs alone, so that a result does not depend on its companions. Throws
  /// core::Error for features of another width, empty or not finite.
  std::vector<ProgramLogits> logits(std::span<const TokenFeatures> inputs) const;

  /// Weights as bytes, and back. load throws core::Error when they are damaged or of another shape.
  std::string save() const;
  void load(const std::string& bytes);

  /// For training.cpp.
  Network& network() { return *network_; }

 private:
  PredictorShape shape_;
  std::unique_ptr<Network> network_;
};

}  // namespace polar::predict
