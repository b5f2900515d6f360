#pragma once
// polar control reexecution: do recorded labels hold when they are run again in another way (method.md 2)?

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/control_report.h"
#include "experiment/recorded_run.h"
#include "labels/rejudge.h"

namespace polar::experiment {

/// Ways of running again:
///   batch         as recorded, in other batches: each example alone, every program from its first layer (no prefix
///                 sharing, no cache), with one worker more. Batch-invariant execution promises no flip.
///   noninvariant  the same batches as LibTorch runs them: exec.batch_invariant false, exec.kernels library
///   dtype         exec.dtype the other one of bfloat16 and float32
///   cache         exec.cache_semantics the other one of per_step and shared_slot; flips concern repeats only
const std::vector<std::string>& reexecution_variants();

struct ReexecutionOptions {
  std::vector<std::string> variants;  ///< each once; empty: all
  RecordedChoice examples;
};

/// How one variant runs. A pure function of the recorded run's settings and this machine's number of cores.
struct ReexecutionVariant {
  std::string name;
  ExecConfig exec;
  int trials_per_batch = 0;
};
ReexecutionVariant reexecution_variant(const std::string& name, const ExecConfig& recorded);

/// Analysis "reexecution", set: the variant; by level, in order of appearance, and for all. Keys, shares:
///   valid_flipped, invalid_flipped  n: recorded programs that were right, wrong. Interval: bootstrap over examples, as
///     programs of one example resemble each other. Where none flipped, or all, a bootstrap has no width: then Wilson's
///     interval of the examples with such programs, and the note says so.
///   lost    n: examples that a recorded program solves; none of them does now. Wilson's interval.
///   gained  n: the others; one of theirs does now. Wilson's interval.
/// `examples`: the counts of each. Throws core::Error for a level named eval::kAllLevels.
std::vector<eval::LabelFigure> reexecution_figures(const std::string& variant,
                                                   std::span<const labels::RejudgeCount> examples, std::uint64_t seed,
                                                   int resamples);

struct Reexecution {
  /// eval::examples_figure() by level, then reexecution_figures() of each variant.
  eval::ControlReport report;
  std::vector<std::pair<std::string, labels::Flip>> flips;  ///< by variant
};

/// Runs the recorded trials again by every variant. Outcomes are recorded in RUN/controls/STEM-<variant>.sqlite, STEM
/// being reexecution-test for the test split and else reexecution, from which an interrupted control resumes; then
/// RUN/controls/STEM.csv, STEM.md and STEM-flips.csv (example, level, program, sample as temperature#index, recorded
/// and present verdict, recorded margin, variant) are written. Throws core::UsageError for an unknown or repeated
/// variant before anything is run, core::Interrupted when asked to stop, and as read_recorded_run, load_model and
/// LabelStore do.
Reexecution reexecute(const std::filesystem::path& folder, const ReexecutionOptions& options);

}  // namespace polar::experiment
