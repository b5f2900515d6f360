#pragma once
// A run whose search has begun, read from its folder: its configuration, its data and its label store. What controls
// start from.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiment/config.h"
#include "experiment/dataset.h"
#include "labels/label_store.h"

namespace polar::experiment {

/// The labels that `run` names: the file itself, or in a run's folder oracle.sqlite for the test split, else
/// labels.sqlite. Throws core::UsageError when there is none.
std::filesystem::path recorded_file(const std::filesystem::path& run, const std::optional<labels::Split>& split);

struct RecordedChoice {
  std::optional<labels::Split> split = std::nullopt;  ///< nullopt: train and validation; test: the oracle's searches
  int examples_per_level = 0;                         ///< so many of every level (slice_of_levels); 0 = all
  /// One example of every problem (task::problem_of) and none that asks a problem of pilot_examples(), which another
  /// algorithm searched: what judges a search over questions needs.
  bool independent = false;
  std::vector<std::string> overrides = {};  ///< "exec.KEY=VALUE" only: anything else decides what the run is
};

struct RecordedRun {
  std::filesystem::path folder;
  Config config;  ///< its name and runs_folder are the folder's, wherever that was moved to
  RunData data;
  labels::LabelStore store;
  std::vector<labels::StoredExample> examples;  ///< chosen among those with a recorded trial, in order of the task

  /// Every example of the store, in its order, with question and answer.
  std::vector<task::Example> registered() const;
  std::filesystem::path controls() const { return folder / "controls"; }
};

/// Throws core::UsageError for an override of another key than exec.KEY, when the folder holds no configuration or no
/// store, when pool or data are no longer those of the recorded search, and when no example that is asked for has a
/// recorded trial; core::Error for a level named eval::kAllLevels; otherwise as load_config, read_manifest and
/// LabelStore do. Writes nothing.
RecordedRun read_recorded_run(const std::filesystem::path& folder, const RecordedChoice& choice);

/// "ladder" for runs/ladder and for runs/ladder/.
std::string run_name(const std::filesystem::path& run);

}  // namespace polar::experiment
