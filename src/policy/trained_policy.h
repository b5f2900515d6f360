#pragma once
// A policy folder as training writes it, ready to choose programs for inputs.

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/program.h"
#include "exec/encoding.h"
#include "exec/executor.h"
#include "policy/planner.h"
#include "predict/artifact.h"
#include "predict/cascade_rule.h"

namespace polar::policy {

/// Not thread-safe.
class TrainedPolicy {
 public:
  /// A predictor, a menu, a cascade or layer routers (their compute dial at 0). `encoder`: where the external encoder
  /// of its features lies now, if not where it was trained. Throws core::Error when `folder` holds none, is damaged, or
  /// was trained for another pool (both digests are named), or reads features of a kind that is not known here or of an
  /// encoder that is missing or another.
  static TrainedPolicy load(const std::filesystem::path& folder, std::string_view weights_digest,
                            const std::string& encoder = "");

  ~TrainedPolicy();
  TrainedPolicy(TrainedPolicy&&) noexcept;
  TrainedPolicy& operator=(TrainedPolicy&&) noexcept;

  const predict::Origin& origin() const;
  /// What the policy reads of each prompt; rank() reads it itself. Nothing of routers, which read as they decide.
  std::vector<predict::TokenFeatures> features(exec::Executor& executor,
                                               std::span<const exec::EncodedExample> prompts) const;
  /// For each prompt the programs that may run, the first of them first: one, unless the policy is a cascade. Throws
  /// core::UsageError where the executor has other cache semantics than the policy's labels were judged under.
  std::vector<RankedPrograms> rank(exec::Executor& executor, std::span<const exec::EncodedExample> prompts);
  /// The network or scorer alone, without what rank() makes of its result (the beam, or the ranking by score and
  /// length): to be timed. Routers, which decide layer by layer, do nothing here.
  void score(const predict::TokenFeatures& features) const;
  /// Goes through what rank() gave for a prompt; null where the policy is no cascade.
  std::unique_ptr<Cascade> cascade(const RankedPrograms& ranked) const;
  /// None where the policy is no cascade. Its grader must be the requests', or confidences are of something else.
  std::optional<predict::CascadeRule> cascade_rule() const;
  /// The program that runs first for each prompt.
  std::vector<core::Program> choose(exec::Executor& executor, std::span<const exec::EncodedExample> prompts);

 private:
  struct Model;
  explicit TrainedPolicy(std::unique_ptr<Model> model);
  std::unique_ptr<Model> model_;
};

}  // namespace polar::policy
