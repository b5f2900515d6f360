#pragma once
// What a configuration says, in the words of the parts it sets up.

#include "exec/executor.h"
#include "experiment/config.h"
#include "search/mcts.h"
#include "search/space.h"

namespace polar::experiment {

/// Throws core::UsageError when the configuration names layers beyond `depth`, those of the pool.
search::SpaceOptions space_options(const Config& config, int depth);
search::MctsOptions mcts_options(const Config& config, int rollouts);
exec::ExecOptions exec_options(const Config& config);

}  // namespace polar::experiment
