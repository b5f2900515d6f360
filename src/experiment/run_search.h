#pragma once
// The search of a run as its configuration describes it, on the run's model or on a null model in its place.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "exec/executor.h"
#include "exec/model.h"
#include "experiment/dataset.h"
#include "labels/label_store.h"
#include "search/presets.h"
#include "search/space.h"

namespace polar::experiment {

/// Model, data and space of a run. It holds no lock and writes nothing but the stores that it opens. Not thread-safe.
struct RunSearch {
  Config config;
  exec::Model model;
  RunData data;
  search::SearchSpace space;
  exec::Executor executor;

  /// Throws as load_model, make_data and search_plan do, and core::UsageError for budgets below an exhaustive search's
  /// space.
  explicit RunSearch(const Config& run_config, const pool::NullOptions& null = {});

  int depth() const { return model.pool->manifest().depth; }
  std::vector<task::Example> labelled_examples() const;  ///< train, then validation
  /// Of the search of labels.
  search::SearchOptions search_options() const { return planned(config.search.rollouts).options; }

  /// Opens a store for writing in the locked folder, with the examples registered. Messages are shown.
  labels::LabelStore store_in(const labels::RunLock& lock, const std::string& file_name,
                              std::span<const task::Example> examples, int rollouts,
                              labels::StoreOptions options) const;
  /// The same for trials that are recorded under `settings`, which no search chose.
  labels::LabelStore trials_in(const labels::RunLock& lock, const std::string& file_name,
                               std::span<const task::Example> examples, const std::string& settings,
                               labels::StoreOptions options) const;
  /// Searches what is not done in the store yet. The algorithm transfer without a file first searches the pilot
  /// (of_pilot), a slice of the training examples; a labels store records that, and the oracle reads it in
  /// the run's labels.sqlite, when its store is opened as well: other programs make another search. Whatever the trees
  /// in step and interruptions, the same programs go on from it.
  void search_into(labels::LabelStore& store, std::span<const task::Example> examples, int rollouts,
                   const std::string& label);

  void say(const std::string& line) const;  ///< to standard output

 private:
  search::SearchPlan planned(int rollouts) const;
  std::vector<core::Program> served(const labels::LabelStore& store) const;
  search::SearchOptions options_of(labels::StoreKind kind, int rollouts) const;
  std::string search_text(labels::StoreKind kind, int rollouts) const;
  int rollouts_of_pilot(const search::SearchOptions& others) const;
  void search_some(labels::LabelStore& store, std::span<const task::Example> examples,
                   const search::SearchOptions& options, const std::string& label);
};

}  // namespace polar::experiment
