#pragma once
// What a configuration says, in the words of the parts it sets up.

#include <string>

#include "exec/executor.h"
#include "experiment/config.h"
#include "search/options.h"
#include "search/presets.h"
#include "search/space.h"

namespace polar::experiment {

/// Space and search, with the preset of a published algorithm in place. Throws core::UsageError when the configuration
/// names layers beyond `depth`, those of the pool.
search::SearchPlan search_plan(const Config& config, int depth, int rollouts);
/// The same for another algorithm than the configuration's.
search::SearchPlan search_plan(const Config& config, int depth, int rollouts, search::Algorithm algorithm);
/// "; as published, whatever is configured: search.edits overlapping, …": the settings that the preset of a published
/// algorithm replaces by another value; empty where it replaces none.
std::string preset_note(const Config& config, int depth);
/// What a predictor of the configuration can emit of the space's programs.
core::SegmentLimits emitted_limits(const PredictConfig& config, const search::SearchSpace& space);
/// Throws core::UsageError naming the key where an exhaustive search, that of the examples or the oracle's, has a
/// budget below the space.
void check_budgets(const Config& config, const search::SearchSpace& space);
/// Throws core::UsageError where the policy shortgpt is to remove more layers than may be edited.
void check_baselines(const Config& config, int depth);
exec::ExecOptions exec_options(const Config& config);

}  // namespace polar::experiment
