#pragma once
// What the stages of an Experiment share.

#include <vector>

#include "experiment/experiment.h"
#include "experiment/run_directory.h"
#include "experiment/run_search.h"
#include "policy/read_features.h"
#include "predict/features.h"

namespace polar::experiment {

struct Experiment::State : RunSearch {
  bool new_search;
  /// Before the directory: a faulty encoder is refused before anything is written.
  policy::FeatureReader feature_reader;
  RunDirectory directory;

  State(const Config& run_config, const RunOptions& options);

  Stage search_stage() const;

  /// Opens one of the two stores for writing, with the examples registered.
  labels::LabelStore open_store(labels::StoreKind kind, std::span<const task::Example> examples, int rollouts);
  /// A store of trials that no search chose, such as every program of a menu; `settings` says which. What was recorded
  /// under others stays. It can be made again: one of another pool or task is replaced.
  labels::LabelStore open_trials(labels::StoreKind kind, const std::string& file_name,
                                 std::span<const task::Example> examples, const std::string& settings);

  /// The prompts of the examples, in order; the answer is never read.
  std::vector<exec::EncodedExample> prompts(const task::TaskSpec& task, std::span<const task::Example> examples) const;
  /// What trained policies are made from.
  predict::Origin origin() const;
  /// Features of every prompt, in order.
  std::vector<predict::TokenFeatures> features(std::span<const exec::EncodedExample> prompts);
  /// The same from RUN/features, where they are kept (FeatureCache).
  std::vector<predict::TokenFeatures> kept_features(std::span<const exec::EncodedExample> prompts);

 private:
  void drop_foreign(const std::string& file_name, const labels::StoreIdentity& wanted) const;
};

}  // namespace polar::experiment
