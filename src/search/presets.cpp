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
  space.form = EditForm::kOverlapping;
  space.max_block = 4;
  space.max_extra_runs = 4;
  space.max_edits = 0;
  space.max_repeated_block = space.later_max_block = space.max_layer_runs = 0;
}

void use_step_edits(SpaceOptions& space) {
  use_paper_space(space);
  space.form = EditForm::kNested;
  space.max_extra_runs = 1;
}

void use_paper(SearchPlan& plan) {
  use_paper_space(plan.space);
  plan.options.exploration = std::sqrt(2.0);
  plan.options.length_penalty = 5;
  plan.options.widening_factor = 1e9;
  plan.options.widening_exponent = 0;
}

void use_replication(SearchPlan& plan) {
  use_paper_space(plan.space);
  plan.options.exploration = 1.414;
  plan.options.length_penalty = 5;
  plan.options.widening_factor = 2;
  plan.options.widening_exponent = 0.5;
}

void use_authors(SearchPlan& plan) {
  use_step_edits(plan.space);
  plan.space.later_max_block = 1;
  plan.space.max_layer_runs = 2;
  const LayerBounds bounds = authors_bounds(plan.space.depth);
  plan.space.min_depth_ratio = static_cast<double>(bounds.min) / plan.space.depth;
  plan.space.max_depth_ratio = static_cast<double>(bounds.max) / plan.space.depth;
  plan.options.exploration = std::sqrt(2.0);
  plan.options.length_penalty = 5;
  plan.options.log_visits_plus_one = true;
  plan.options.random_child = 0.1;
}

void use_drllm(SearchPlan& plan) {
  use_step_edits(plan.space);
  plan.space.max_block = 2;
  plan.space.max_repeated_block = 1;
  plan.space.min_depth_ratio = 0;
  plan.space.max_depth_ratio = 2;
  plan.options.exploration = 1.8;
  plan.options.length_penalty = 3;
  plan.options.log_visits_plus_one = false;
  plan.options.random_child = 0.1;
  plan.options.stop_when_rescued = true;
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

std::string SearchPlan::text() const {
  std::string text = space.text() + "; " + options.text();
  // Reductions of other forms were once of the edits that a program was made by, replayed at their old steps.
  if (space.form != EditForm::kDisjoint && options.minimise != Minimise::kOff)
    text += "; reductions of canonical edits";
  return text;
}

SearchPlan with_preset(SearchPlan plan) {
  void (*use)(SearchPlan&) = nullptr;
  switch (plan.options.algorithm) {
    case Algorithm::kPaper:
      use = use_paper;
      break;
    case Algorithm::kReplication:
      use = use_replication;
      break;
    case Algorithm::kAuthors:
      use = use_authors;
      break;
    case Algorithm::kDrLlm:
      use = use_drllm;
      break;
    default:
      return plan;
  }
  publish(plan.options);
  use(plan);
  return plan;
}

}  // namespace polar::search
