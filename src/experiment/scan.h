#pragma once
// polar scan: every contiguous block of layers repeated once, and skipped once, on one data set; what layer-duplication
// tools (RYS) do by hand.

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/config.h"
#include "experiment/scan_table.h"
#include "labels/label_types.h"
#include "search/space.h"

namespace polar::experiment {

struct ScanOptions {
  std::filesystem::path folder;                 ///< empty: <runs_folder>/<name>-scan
  labels::Split split = labels::Split::kTrain;  ///< train or valid
  int examples_per_level = 20;                  ///< so many of every level (slice_levels); 0 = all
  int max_block = 0;                            ///< longest block; 0 = the model's depth
};

/// The programs of a scan: the identity and one edit of it, a block of at most `max_block` of all `depth` layers
/// (search.first_layer and the depth bounds do not hold here) repeated once or skipped. Throws core::UsageError for a
/// max_block outside 0 … depth.
search::SpaceOptions scan_space(int depth, int max_block);

struct Scan {
  std::filesystem::path folder;
  std::vector<ScanRow> rows;
  std::string markdown;
};

/// Runs every program on every chosen example, in batches of search.trees_in_step examples. Outcomes are recorded in
/// FOLDER/scan.sqlite, from which the same command resumes; more examples or longer blocks compute only what is new.
/// Then FOLDER/scan.csv and scan.md are written. Throws core::UsageError when no example is chosen, core::Error for a
/// level named eval::kAllLevels, core::Interrupted when asked to stop, and as load_model, make_data and LabelStore do.
Scan run_scan(const Config& config, const ScanOptions& options);

}  // namespace polar::experiment
