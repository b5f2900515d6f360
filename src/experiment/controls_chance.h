#pragma once
// polar control chance: how much of what the search solved does luck explain?

#include "eval/control_report.h"
#include "experiment/controls_run.h"

namespace polar::experiment {

struct ChanceControlOptions {
  int permutations = 1000;  ///< ≥ 1
};

/// Every example's recorded programs are run again under the `answer` rule (controls/chance.sqlite), and their whole
/// answers graded against permuted references; the figures are those of eval::chance_figures. Each verdict must be the
/// recorded one: those that are not are counted, and the first of them listed as warnings. Throws core::UsageError for
/// options out of range, and as ControlRun::recorded does.
eval::ControlReport chance_control(ControlRun& run, const ChanceControlOptions& options);

}  // namespace polar::experiment
