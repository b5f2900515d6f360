#include "experiment/options.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::experiment {
namespace {

/// Layers that the configuration names must be there before hours are spent on a search.
void check_layers(const Config& config, int depth) {
  const auto check = [&](const char* key, int value) {
    if (value > depth) {
      throw core::UsageError(
          fmt::format("{}: expected at most {}, the layers of {}, found {}", key, depth, config.pool, value));
    }
  };
  check("predict.prefix_layers", config.predict.prefix_layers);
  check("search.first_layer", config.search.first_layer);
}

}  // namespace

search::SpaceOptions space_options(const Config& config, int depth) {
  check_layers(config, depth);
  search::SpaceOptions options;
  options.depth = depth;
  options.first_layer = config.search.first_layer;
  options.max_block = config.search.max_block;
  options.max_extra_runs = config.search.max_extra_repeats;
  options.allow_skip = config.search.skip;
  options.allow_repeat = config.search.loop;
  options.min_depth_ratio = config.search.min_depth;
  options.max_depth_ratio = config.search.max_depth;
  options.max_edits = config.search.max_edits;
  return options;
}

exec::ExecOptions exec_options(const Config& config) {
  exec::ExecOptions options;
  options.workers = config.exec.workers;
  options.layer_rows = config.exec.chunk_rows;
  options.batch_invariant = config.exec.batch_invariant;
  options.cache_semantics = exec::parse_cache_semantics(config.exec.cache_semantics);
  options.prefix_sharing = config.exec.prefix_sharing;
  options.layer_batching = config.exec.layer_batching;
  options.draft_verification = config.exec.draft_verification;
  options.shared_prompt = config.exec.shared_prompt;
  options.read_rows_only = config.exec.read_rows_only;
  options.cache_bytes = static_cast<std::size_t>(config.exec.cache_mb) << 20;
  options.wave_bytes = static_cast<std::size_t>(config.exec.wave_mb) << 20;
  options.seed = config.seed;
  return options;
}

search::MctsOptions mcts_options(const Config& config, int rollouts) {
  search::MctsOptions options;
  options.rollouts = rollouts;
  options.leaves_per_round = config.search.leaves_per_round;
  options.exploration = config.search.exploration;
  options.length_penalty = config.search.length_penalty;
  options.widening_factor = config.search.widening_factor;
  options.widening_exponent = config.search.widening_exponent;
  return options;
}

}  // namespace polar::experiment
