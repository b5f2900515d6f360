#include "search/presets.h"

#include <cmath>

namespace polar::search {

namespace {

/// All share these: a reward of 0 or 1, one trial at a time, nothing but the published moves.
void publish(SearchOptions& options) {
  options.reward = RewardKind::kBinary;
  options.leaves_per_round = 1;
  options.minimise = Minimise::kOff;
  options.first_programs = {};
  options.stop_after_valid = 0;
}

void use_paper_space(SpaceOptions& space) {
  space.form = EditForm::kDisjoint;
  space.max_block = 4;
  space.max_extra_runs = 4;
  space.allow_skip = space.allow_repeat = true;
  space.min_depth_ratio = 0.90;
  space.max_depth_ratio = 1.15;
  space.max_edits = 0;
  space.max_repeated_block = space.later_max_block = space.max_layer_runs = 0;
}

void use_step_edits(SpaceOptions& space) {
  use_paper_space(space);
  space.form = EditForm::kNested;
  space.max_extra_runs = 1;
}

}  // namespace

LayerBounds authors_bounds(int depth) {
  switch (depth) {
    case 24:
      return {16, 28};
    case 28:
      return {16, 32};
    case 36:
      return {24, 44};
    case 48:
      return {36, 54};
    default:
      return {static_cast<int>(std::ceil(depth * 16 / 28.0)), static_cast<int>(std::floor(depth * 32 / 28.0))};
  }
}

SearchPlan with_preset(SearchPlan plan) {
  auto& [space, options] = plan;
  switch (options.algorithm) {
    case Algorithm::kPaper:
      publish(options);
      use_paper_space(space);
      options.exploration = std::sqrt(2.0);
      options.length_penalty = 5;
      options.widening_factor = 1e9;
      options.widening_exponent = 0;
      break;
    case Algorithm::kReplication:
      publish(options);
      use_paper_space(space);
      options.exploration = 1.414;
      options.length_penalty = 5;
      options.widening_factor = 2;
      options.widening_exponent = 0.5;
      break;
    case Algorithm::kAuthors: {
      publish(options);
      use_step_edits(space);
      space.later_max_block = 1;
      space.max_layer_runs = 2;
      const LayerBounds bounds = authors_bounds(space.depth);
      space.min_depth_ratio = static_cast<double>(bounds.min) / space.depth;
      space.max_depth_ratio = static_cast<double>(bounds.max) / space.depth;
      options.exploration = std::sqrt(2.0);
      options.length_penalty = 5;
      options.log_visits_plus_one = true;
      options.random_child = 0.1;
      break;
    }
    case Algorithm::kDrLlm:
      publish(options);
      use_step_edits(space);
      space.max_block = 2;
      space.max_repeated_block = 1;
      space.min_depth_ratio = 0;
      space.max_depth_ratio = 2;
      options.exploration = 1.8;
      options.length_penalty = 3;
      options.log_visits_plus_one = false;
      options.random_child = 0.1;
      options.stop_when_rescued = true;
      break;
    default:
      break;
  }
  return plan;
}

}  // namespace polar::search
