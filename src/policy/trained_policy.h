#pragma once
// A policy folder as training writes it, ready to choose programs for inputs.

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/program.h"
#include "exec/encoding.h"
#include "exec/executor.h"
#include "policy/planner.h"
#include "predict/artifact.h"

namespace polar::policy {

/// What a trained policy reads: layers 0 … p−1 of its origin, or none, for the embeddings.
core::Program feature_program(const predict::Origin& origin);

/// Features of prompts, in their order: hidden rows after `prefix`. An executor with a cache, and without a shared
/// prompt, finds these states again when it answers the same prompts under programs that begin with `prefix`.
std::vector<predict::TokenFeatures> read_features(exec::Executor& executor,
                                                  std::span<const exec::EncodedExample> prompts,
                                                  const core::Program& prefix);

/// Owns what its planner refers to. Not thread-safe.
class TrainedPolicy {
 public:
  /// A predictor or a menu. Throws core::Error when `folder` holds neither, is damaged, or was trained for another pool
  /// (both digests are named) or reads features of a kind that is not known here.
  static TrainedPolicy load(const std::filesystem::path& folder, std::string_view weights_digest);

  ~TrainedPolicy();
  TrainedPolicy(TrainedPolicy&&) noexcept;
  TrainedPolicy& operator=(TrainedPolicy&&) noexcept;

  Planner& planner();
  const predict::Origin& origin() const;
  /// The program to run for each prompt.
  std::vector<core::Program> choose(exec::Executor& executor, std::span<const exec::EncodedExample> prompts);

 private:
  struct Model;
  explicit TrainedPolicy(std::unique_ptr<Model> model);
  std::unique_ptr<Model> model_;
};

}  // namespace polar::policy
