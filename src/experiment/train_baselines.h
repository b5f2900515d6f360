#pragma once
// Part of stage 2 of a run: the programs of baselines that are found on training examples (method.md 5).

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/scan_table.h"
#include "experiment/state.h"
#include "policy/baselines.h"

namespace polar::experiment {

/// Empty where eval.policies does not name the baseline.
///
/// `shortgpt`: ShortGPT (Men et al., arXiv 2403.03853) removes the n layers of least block influence
/// (policy/block_influence.h). Candidates: one a number of baselines.shortgpt_layers; the number that is best on
/// validation runs first (equal ones: more layers removed), the others follow by number. Deviations: influence is
/// measured on training prompts of the task, not on PG19; only layers in [search.first_layer, search.end_layer) are
/// removed; the paper fixes n and tries no second choice.
///
/// Both `static_skip` and `rys` rank all their blocks on baselines.examples_per_level training examples a level, and
/// the first baselines.finalists of them again on baselines.finalists_per_level: a block that is best of many on few
/// examples is so by luck. The finalists then come first.
///
/// `static_skip`: skips one contiguous block of 1 … search.max_block layers, as Gromov et al. prune ("The Unreasonable
/// Ineffectiveness of the Deeper Layers", arXiv 2403.17887). Candidates: the blocks by training accuracy, equal ones by
/// mean log-probability of the reference. Deviations: they choose the block of a given length by the angle between its
/// input and output, and heal the model by fine-tuning; here its skip costs least on training examples, its length is
/// free and no weight changes.
///
/// `rys`: runs one contiguous block of 1 … search.max_block layers twice, as RYS does ("Repeat Your Self", D. N. Ng,
/// dnhkng.github.io/posts/rys). Candidates: as for static_skip. Deviations: blocks are scored on training examples of
/// the task, not on probes of mathematics and emotion, inside [search.first_layer, search.end_layer), and are no longer
/// than the search's; RYS repeats blocks of any length (seven layers of Qwen2-72B).
///
/// `label_prior`: a router that knows the distribution of the labels alone and ignores the input; whatever decides by
/// the input must beat it. No paper's method: it is the control of PoLar's predictor (arXiv 2606.06574), whose targets
/// it counts: every training example that has some spreads the weight 1 over them, by their weights
/// (predict/targets.h). Candidates: the heaviest programs. `label_draw` draws from the same distribution
/// (policy::LabelDrawPlanner).
struct TrainedBaselines {
  policy::RankedPrograms shortgpt, static_skip, rys;
  std::vector<policy::WeightedProgram> label_prior;
};

/// Finds what eval.policies names and writes baselines/manifest.json, with the figures that programs were chosen by;
/// baselines/scan.csv holds those of every block. A stage of its own, so that a baseline can be added without training
/// anew. Trials are recorded in baselines/trials.sqlite, so that a rerun costs reading them; what the labels hold is
/// taken from there. Not thread-safe.
class BaselineStage {
 public:
  explicit BaselineStage(Experiment::State& state) : state_(state) {}

  /// Up to date as well when there is nothing to find.
  StageStatus status(const std::string& labels_digest) const;

  /// Does what status() misses, and renews the entry `baselines` of a selection.json that is there. Throws core::Error
  /// when no training example has a valid program that the predictor can emit, for label_prior and label_draw,
  /// core::Interrupted, and as the executor does.
  void run(const labels::LabelStore& labels, const std::string& labels_digest);

  /// What was chosen, for selection.json; null when nothing was asked for.
  nlohmann::json selection() const;
  /// SHA-256 of the manifest; empty when nothing was asked for.
  std::string digest() const;
  /// Throws core::Error when the manifest is missing or damaged.
  TrainedBaselines load() const;

 private:
  std::vector<std::string> wanted() const;
  bool uses_labels() const;
  Stage stage(const std::string& labels_digest) const;
  nlohmann::json shortgpt(const labels::LabelStore& labels) const;
  std::vector<ScanRow> scanned_blocks(const labels::LabelStore& labels) const;
  std::vector<ScanRow> scan(const labels::LabelStore& labels, std::vector<ScannedProgram> scanned,
                            std::span<const task::Example> examples) const;
  nlohmann::json block_ranking(const labels::LabelStore& labels, std::span<const ScanRow> rows,
                               std::string_view mode) const;
  nlohmann::json label_prior(const labels::LabelStore& labels) const;
  std::vector<std::vector<search::Outcome>> outcomes(const labels::LabelStore& labels,
                                                     std::span<const task::Example> examples,
                                                     std::span<const core::Program> programs) const;

  Experiment::State& state_;
};

}  // namespace polar::experiment
