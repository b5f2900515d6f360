#pragma once
// What the stages of an Experiment share.

#include <map>
#include <string>
#include <vector>

#include "exec/executor.h"
#include "exec/model.h"
#include "experiment/dataset.h"
#include "experiment/experiment.h"
#include "experiment/run_directory.h"
#include "labels/label_store.h"
#include "predict/features.h"
#include "search/presets.h"
#include "search/space.h"

namespace polar::experiment {

struct Experiment::State {
  Config config;
  bool new_search;
  exec::Model model;
  RunData data;
  search::SearchSpace space;
  exec::Executor executor;
  RunDirectory directory;

  State(const Config& run_config, const RunOptions& options);

  int depth() const { return model.pool->manifest().depth; }
  labels::StoreIdentity identity(std::span<const task::Example> examples) const;
  std::vector<task::Example> labelled_examples() const;  ///< train, then validation
  Stage search_stage() const;
  /// Of the search of labels.
  search::SearchOptions search_options() const { return planned(config.search.rollouts).options; }

  /// Opens one of the two stores for writing, with the examples registered.
  labels::LabelStore open_store(labels::StoreKind kind, std::span<const task::Example> examples, int rollouts);
  /// The same under another name, relative to the run's folder.
  labels::LabelStore open_store(labels::StoreKind kind, const std::string& file_name,
                                std::span<const task::Example> examples, int rollouts);
  /// A store of trials that no search chose, such as every program of a menu; `settings` says which. What was recorded
  /// under others stays. It can be made again: one of another pool or task is replaced.
  labels::LabelStore open_trials(labels::StoreKind kind, const std::string& file_name,
                                 std::span<const task::Example> examples, const std::string& settings);
  /// Searches what is not done in the store yet. The algorithm transfer without a file first searches the pilot
  /// (of_pilot), the first training examples of every level; a labels store records that, and the oracle reads it
  /// there, when its store is opened as well: other programs make another search. Whatever the trees in step and
  /// interruptions, the same programs go on from it.
  void search_into(labels::LabelStore& store, std::span<const task::Example> examples, int rollouts,
                   const std::string& label);

  /// Features of every example, in order; the answer is never read.
  std::vector<predict::TokenFeatures> features(const task::TaskSpec& task, std::span<const task::Example> examples);

  void say(const std::string& line) const;  ///< to standard output

 private:
  search::SearchPlan planned(int rollouts) const;
  std::vector<core::Program> served(const labels::LabelStore& store) const;
  search::SearchOptions options_of(labels::StoreKind kind, int rollouts) const;
  std::string search_text(labels::StoreKind kind, int rollouts) const;
  bool has_pilot() const;
  void drop_foreign(const std::string& file_name, const labels::StoreIdentity& wanted) const;
  labels::LabelStore open_store(const std::string& file_name, std::span<const task::Example> examples,
                                const std::string& settings, labels::StoreOptions options);
  void search_some(labels::LabelStore& store, std::span<const task::Example> examples,
                   const search::SearchOptions& options, const std::string& label);
};

}  // namespace polar::experiment
