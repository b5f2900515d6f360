#pragma once
// polar control sampling: would as many samples of the unchanged model have solved as much as the search?

#include <vector>

#include "eval/control_report.h"
#include "experiment/controls_run.h"

namespace polar::experiment {

struct SamplingControlOptions {
  std::vector<double> temperatures = {0.3, 0.7, 1.0};  ///< above 0, each once
};

/// For every example with n recorded greedy trials, the identity is sampled n times at each temperature and graded as
/// the search graded (controls/sampling.sqlite); the figures are those of eval::sampling_figures. Throws
/// core::UsageError for bad temperatures, and as ControlRun::recorded does.
eval::ControlReport sampling_control(ControlRun& run, const SamplingControlOptions& options);

}  // namespace polar::experiment
