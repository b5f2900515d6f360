#pragma once
// How long single answers of policies take.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "eval/metrics.h"
#include "experiment/state.h"
#include "policy/planner.h"
#include "task/task.h"

namespace polar::experiment {

/// Figures policy_ms (features and choice), prefill_ms, decode_ms, answer_ms (the whole) and latency_ratio (answer_ms
/// over base's on the same example, where base is among the policies), means over eval.latency_examples examples spread
/// over `examples`, by level and for all, with bootstrap intervals where several were timed.
///
/// One answer at a time, caches empty before each, after one of each policy that is not counted. The policies take
/// turns, each example beginning with the next of them, so that none is always the first. Reading the features runs the
/// first p layers, whose states the answer then finds in the cache: that is what makes them free; an external encoder's
/// are not. A router runs the prompt through its program as it decides: its policy_ms hold most of the answer's
/// prefill, and it is not run again. A cascade's times are those of all that it runs. Oracles are left out. Throws
/// core::Interrupted, and as the policies and the executor do.
std::vector<eval::Figure> latency_figures(Experiment::State& state,
                                          std::span<const std::unique_ptr<policy::Planner>> policies,
                                          const std::string& set, std::span<const task::Example> examples,
                                          const task::TaskSpec& task);

}  // namespace polar::experiment
