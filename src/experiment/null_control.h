#pragma once
// polar control null: what a run's own search finds in a model without order, or without learnt weights, in its layers.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "eval/control_report.h"
#include "labels/label_store.h"
#include "pool/null_layers.h"

namespace polar::experiment {

struct NullControlOptions {
  std::vector<pool::NullLayers> layers;  ///< kinds of null model, each once; empty: shuffled and reinitialised
  int examples_per_level = 0;  ///< training and validation examples, so many of every level (slice_of_levels); 0 = all
};

/// What one search made of one example.
struct SearchCounts {
  std::string level;
  bool identity = false;      ///< the identity was right
  bool solved = false;        ///< some program was
  int trials = 0, valid = 0;  ///< distinct programs tried, greedily; of these, right
};
std::vector<SearchCounts> search_counts(const labels::LabelStore& store,
                                        std::span<const labels::StoredExample> examples);

/// What one model's searches made of the same examples, in the same order.
struct SearchedModel {
  std::string name;
  std::vector<SearchCounts> examples;
};

/// By level, in order of appearance, and for all, beside their number of examples (eval::examples_figure):
///   analysis "null", set: the model. Keys: identity (share of examples it answers), solved (that some program does),
///     wrong_to_right (solved, of those the identity gets wrong), with Wilson's intervals; valid_programs (right, of
///     all programs tried), with a bootstrap over examples, as trials of one example resemble each other.
///   analysis "null_excess", set: the null model. The same keys: the first model's share less the null model's, n of
///     the first; interval: bootstrap over examples, drawn alike for both.
/// No interval covers which shuffle, or which draw of weights, a null model is.
/// Throws core::Error unless all models have the same examples, and for a level named eval::kAllLevels.
std::vector<eval::LabelFigure> null_figures(std::span<const SearchedModel> models, std::uint64_t seed, int resamples);

/// Searches the null models as the run searched its own: same space, budget, algorithm, seed, examples, grader and
/// machine. The null models are seeded by the run's seed. With the algorithm transfer and no file of programs, each
/// null model's pilot is searched as well, whatever the examples chosen. Searches are recorded in
/// RUN/controls/null-<kind>.sqlite, from which an interrupted control resumes; then RUN/controls/null.csv and null.md
/// are written. Throws core::UsageError for a repeated kind and where settings, stop rule, root seed or fingerprint of
/// the run's own search are not those of a search here, core::Error when the run's own search of a chosen example has
/// not ended, core::Interrupted when asked to stop, and as read_recorded_run, RunLock and RunSearch do. Locks
/// RUN/controls, not the run.
eval::ControlReport null_control(const std::filesystem::path& folder, const NullControlOptions& options);

}  // namespace polar::experiment
