#include "experiment/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

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
  check("search.end_layer", config.search.end_layer);
}

search::SpaceOptions space_options(const SearchConfig& search, int depth) {
  search::SpaceOptions options;
  options.depth = depth;
  options.first_layer = search.first_layer;
  options.end_layer = search.end_of(depth);
  options.max_block = search.max_block;
  options.max_extra_runs = search.max_extra_repeats;
  options.allow_skip = search.skip;
  options.allow_repeat = search.loop;
  options.min_depth_ratio = search.min_depth;
  options.max_depth_ratio = search.max_depth;
  options.max_edits = search.max_edits;
  options.form = search::edit_form_of(search.edits);
  return options;
}

search::SearchOptions search_options(const SearchConfig& search, int rollouts) {
  search::SearchOptions options;
  options.rollouts = rollouts;
  options.leaves_per_round = search.leaves_per_round;
  options.exploration = search.exploration;
  options.length_penalty = search.length_penalty;
  options.widening_factor = search.widening_factor;
  options.widening_exponent = search.widening_exponent;
  options.reward = search.reward == "binary" ? search::RewardKind::kBinary : search::RewardKind::kDense;
  options.stop_after_valid = search.stop_after_valid;
  options.objective = search::objective_of(search.objective);
  options.keep = search.keep;
  options.minimise = search::minimise_of(search.minimise);
  options.beam_width = search.beam_width;
  options.beam_children = search.beam_children;
  options.elite = search.elite;
  options.model_spread = search.model_spread;
  options.model_noise = search.model_noise;
  options.model_reach = search.model_reach;
  options.model_skip_cost = search.model_skip_cost;
  options.model_repeat_cost = search.model_repeat_cost;
  return options;
}

}  // namespace

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

search::SearchPlan search_plan(const Config& config, int depth, int rollouts, search::Algorithm algorithm) {
  check_layers(config, depth);
  search::SearchPlan plan{space_options(config.search, depth), search_options(config.search, rollouts)};
  plan.options.algorithm = algorithm;
  return search::with_preset(std::move(plan));
}

std::string preset_note(const Config& config, int depth) {
  const search::SearchPlan preset = search_plan(config, depth, config.search.rollouts);
  const search::SpaceOptions space = space_options(config.search, depth);
  const search::SearchOptions options = search_options(config.search, config.search.rollouts);
  std::vector<std::string> replaced;
  const auto compare = [&](const char* key, const auto& asked, const auto& used) {
    if (asked == used) return;
    if constexpr (std::is_floating_point_v<std::remove_cvref_t<decltype(used)>>)
      replaced.push_back(fmt::format("search.{} {:.4g}", key, used));
    else
      replaced.push_back(fmt::format("search.{} {}", key, used));
  };
  compare("edits", search::to_string(space.form), search::to_string(preset.space.form));
  compare("max_block", space.max_block, preset.space.max_block);
  compare("max_extra_repeats", space.max_extra_runs, preset.space.max_extra_runs);
  compare("max_edits", space.max_edits, preset.space.max_edits);
  compare("min_depth", space.min_depth_ratio, preset.space.min_depth_ratio);
  compare("max_depth", space.max_depth_ratio, preset.space.max_depth_ratio);
  compare("exploration", options.exploration, preset.options.exploration);
  compare("length_penalty", options.length_penalty, preset.options.length_penalty);
  compare("widening_factor", options.widening_factor, preset.options.widening_factor);
  compare("widening_exponent", options.widening_exponent, preset.options.widening_exponent);
  compare("minimise", search::to_string(options.minimise), search::to_string(preset.options.minimise));
  compare("leaves_per_round", options.leaves_per_round, preset.options.leaves_per_round);
  compare("stop_after_valid", options.stop_after_valid, preset.options.stop_after_valid);
  if (options.reward != preset.options.reward) replaced.push_back("search.reward binary");
  if (replaced.empty()) return "";
  return fmt::format("; as published, whatever is configured: {}", fmt::join(replaced, ", "));
}

core::SegmentLimits emitted_limits(const PredictConfig& config, const search::SearchSpace& space) {
  core::SegmentLimits limits = space.segment_limits();
  if (config.max_runs > 0) limits.max_runs = std::min(limits.max_runs, config.max_runs);
  return limits;
}

void check_budgets(const Config& config, const search::SearchSpace& space) {
  if (search::algorithm_of(config.search.algorithm) != search::Algorithm::kExhaustive) return;
  const auto check = [&](const char* key, int rollouts) {
    if (space.counted() && space.count() <= rollouts) return;
    throw core::UsageError(fmt::format(
        "{}: expected at least the whole space for the algorithm exhaustive, {}, found {}; raise it or allow "
        "fewer edits (search.max_edits)",
        key, space.describe(), rollouts));
  };
  check("search.rollouts", config.search.rollouts);
  if (config.eval.uses("oracle")) check("search.oracle_rollouts", config.search.oracle_rollouts);
}

void check_baselines(const Config& config, int depth) {
  if (!config.eval.uses("shortgpt")) return;
  const int removable = std::min(config.search.end_of(depth) - config.search.first_layer, depth - 1);
  const int removed = std::ranges::max(config.baselines.shortgpt_layers);
  if (removed <= removable) return;
  throw core::UsageError(
      fmt::format("baselines.shortgpt_layers: expected at most {}, the layers that may be edited (search.first_layer, "
                  "search.end_layer) while one is left, found {}",
                  removable, removed));
}

search::SearchPlan search_plan(const Config& config, int depth, int rollouts) {
  return search_plan(config, depth, rollouts, search::algorithm_of(config.search.algorithm));
}

}  // namespace polar::experiment
