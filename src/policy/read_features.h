#pragma once
// What policies read of prompts: states of the pool itself, or of an external encoder.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/program.h"
#include "exec/encoding.h"
#include "exec/executor.h"
#include "predict/artifact.h"
#include "predict/features.h"

namespace polar::policy {

/// Hidden rows of prompts after `prefix`, in their order. An executor with a cache, and without a shared prompt, finds
/// these states again when it answers the same prompts under programs that begin with `prefix`.
std::vector<predict::TokenFeatures> read_states(exec::Executor& executor, std::span<const exec::EncodedExample> prompts,
                                                const core::Program& prefix);

/// Reads what an origin names: "states" after layers 0 … p−1, "embeddings", or "encoder", the states that an encoder
/// package gives a question (its first tokens, where it has more than the encoder takes).
class FeatureReader {
 public:
  /// Throws core::Error for another kind, as pool::Encoder::load does, and for an encoder of another digest than the
  /// origin's (both are named), unless that is empty.
  explicit FeatureReader(const predict::Origin& origin);
  ~FeatureReader();
  FeatureReader(FeatureReader&&) noexcept;
  FeatureReader& operator=(FeatureReader&&) noexcept;

  /// Features of prompts, in their order.
  std::vector<predict::TokenFeatures> read(exec::Executor& executor,
                                           std::span<const exec::EncodedExample> prompts) const;
  /// Of the encoder; empty where there is none.
  std::string encoder_digest() const;

 private:
  struct External;
  core::Program prefix_;
  std::unique_ptr<External> external_;
};

}  // namespace polar::policy
