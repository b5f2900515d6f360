#include "search/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "search/require.h"

namespace polar::search {

namespace {

// A ratio times a depth may miss the whole number it stands for by rounding (1.15 · 20 = 22.999…): bounds are
// inclusive.
constexpr double kRatioSlack = 1e-9;
constexpr int kMaxSteps = static_cast<int>(core::Program::kMaxSteps);

int at_least_layers(double ratio, int depth) {
  return std::max(1, static_cast<int>(std::ceil(ratio * depth - kRatioSlack)));
}

int at_most_layers(double ratio, int depth) {
  return static_cast<int>(std::floor(ratio * depth + kRatioSlack));
}

/// Steps that an edit adds to the identity.
int extra_steps(const core::Edit& edit) {
  return edit.length * edit.extra_runs;
}

bool overlaps(const core::Edit& a, const core::Edit& b) {
  return a.first <= b.last() && b.first <= a.last();
}

}  // namespace

std::string SpaceOptions::text() const {
  return fmt::format(
      "space depth={} first_layer={} end_layer={} max_block={} max_extra_runs={} skip={} repeat={} min_depth_ratio={} "
      "max_depth_ratio={} max_edits={}",
      depth, first_layer, end_layer < 0 ? depth : end_layer, max_block, max_extra_runs, allow_skip, allow_repeat,
      min_depth_ratio, max_depth_ratio, max_edits);
}

/// Where a program under construction stands: all layers below `layer` are decided. `block` is the length of the skip
/// block that ends there (0 = the layer before runs) and `edits` the edits so far; both stay 0 when the number of edits
/// has no limit.
struct SearchSpace::State {
  int layer = 0;
  int block = 0;
  int edits = 0;
  int steps_left = 0;
};

/// One way to go on: `runs` times the layers from the state's to next.layer − 1.
struct SearchSpace::Choice {
  int runs = 1;
  State next;
};

SearchSpace::SearchSpace(const SpaceOptions& options) : options_(options) {
  if (options_.end_layer < 0) options_.end_layer = options_.depth;
  check_options();
  if (options_.max_edits >= options_.end_layer - options_.first_layer) options_.max_edits = 0;
  min_layers_ = at_least_layers(options_.min_depth_ratio, options_.depth);
  max_layers_ = at_most_layers(options_.max_depth_ratio, options_.depth);
  list_candidates();
  count_completions();
}

void SearchSpace::check_options() const {
  const Require require{"search space"};
  const SpaceOptions& o = options_;
  require(o.depth >= 1 && o.depth <= kMaxSteps, "depth", fmt::format("1 … {} layers", kMaxSteps), o.depth);
  require(o.first_layer >= 0 && o.first_layer < o.depth, "first_layer", fmt::format("0 … {}", o.depth - 1),
          o.first_layer);
  require(o.end_layer > o.first_layer && o.end_layer <= o.depth, "end_layer",
          fmt::format("{} … {} (after first_layer)", o.first_layer + 1, o.depth), o.end_layer);
  const std::string steps = fmt::format("1 … {}", kMaxSteps);
  require(o.max_block >= 1 && o.max_block <= kMaxSteps, "max_block", steps, o.max_block);
  require(o.max_extra_runs >= 1 && o.max_extra_runs <= kMaxSteps, "max_extra_runs", steps, o.max_extra_runs);
  require(o.allow_skip || o.allow_repeat, "allow_skip and allow_repeat", "at least one of them true", "both false");
  require(o.min_depth_ratio >= 0 && o.min_depth_ratio <= 1, "min_depth_ratio", "0 … 1 (the identity is always tried)",
          o.min_depth_ratio);
  require(o.max_depth_ratio >= 1, "max_depth_ratio", "at least 1 (the identity is always tried)", o.max_depth_ratio);
  require(o.max_depth_ratio * o.depth <= kMaxSteps, "max_depth_ratio",
          fmt::format("at most {} steps in all, with {} layers", kMaxSteps, o.depth), o.max_depth_ratio);
  require(o.max_edits >= 0, "max_edits", "at least 0 (0 = no limit)", o.max_edits);
}

void SearchSpace::list_candidates() {
  for (int first = options_.first_layer; first < options_.end_layer; ++first) {
    for (int length = 1; length <= options_.max_block && first + length <= options_.end_layer; ++length) {
      if (options_.allow_skip) candidates_.push_back({first, length, -1});
      for (int extra = 1; options_.allow_repeat && extra <= options_.max_extra_runs; ++extra) {
        candidates_.push_back({first, length, extra});
      }
    }
  }
}

EditedProgram SearchSpace::identity() const {
  return {{}, core::Program::identity(options_.depth)};
}

std::optional<EditedProgram> SearchSpace::extend(const EditedProgram& parent, const core::Edit& edit) const {
  const int layers = parent.program.length() + extra_steps(edit);
  if (layers < min_layers_ || layers > max_layers_) return std::nullopt;
  for (const core::Edit& old : parent.edits) {
    if (overlaps(old, edit)) return std::nullopt;
  }
  EditedProgram child;
  child.edits = parent.edits;
  child.edits.push_back(edit);
  child.edits = canonical(std::move(child.edits));
  if (options_.max_edits > 0 && static_cast<int>(child.edits.size()) > options_.max_edits) return std::nullopt;
  child.program = core::apply_edits(options_.depth, child.edits);
  return child;
}

std::vector<core::Edit> SearchSpace::canonical(std::vector<core::Edit> edits) const {
  std::sort(edits.begin(), edits.end());
  std::vector<core::Edit> result;
  for (core::Edit edit : edits) {
    while (edit.is_skip() && !result.empty() && result.back().is_skip() && result.back().last() + 1 == edit.first) {
      const int taken = std::min(options_.max_block - result.back().length, edit.length);
      if (taken == 0) break;
      result.back().length += taken;
      edit.first += taken;
      edit.length -= taken;
      if (edit.length == 0) break;
    }
    if (edit.length > 0) result.push_back(edit);
  }
  return result;
}

std::vector<EditedProgram> SearchSpace::single_edits() const {
  std::vector<EditedProgram> result;
  const EditedProgram root = identity();
  for (const core::Edit& edit : candidates_) {
    if (auto child = extend(root, edit)) result.push_back(*std::move(child));
  }
  return result;
}

std::size_t SearchSpace::cell(const State& state) const {
  const std::size_t blocks = options_.max_edits > 0 ? options_.max_block + 1 : 1;
  std::size_t index = state.layer;
  index = index * blocks + state.block;
  index = index * (options_.max_edits + 1) + state.edits;
  return index * (max_layers_ + 1) + state.steps_left;
}

std::vector<SearchSpace::Choice> SearchSpace::choices(const State& state) const {
  std::vector<Choice> result;
  const bool limited = options_.max_edits > 0;
  const auto offer = [&](int length, int runs, int block, int edits) {
    const int steps_left = state.steps_left - length * runs;
    if (steps_left < 0 || (limited && edits > options_.max_edits)) return;
    result.push_back({runs, {state.layer + length, limited ? block : 0, limited ? edits : 0, steps_left}});
  };
  offer(1, 1, 0, state.edits);
  if (state.layer < options_.first_layer || state.layer >= options_.end_layer) return result;
  if (options_.allow_skip) {
    const bool same_block = state.block > 0 && state.block < options_.max_block;
    offer(1, 0, same_block ? state.block + 1 : 1, same_block ? state.edits : state.edits + 1);
  }
  for (int length = 1; length <= options_.max_block && state.layer + length <= options_.end_layer; ++length) {
    for (int extra = 1; options_.allow_repeat && extra <= options_.max_extra_runs; ++extra) {
      offer(length, 1 + extra, 0, state.edits + 1);
    }
  }
  return result;
}

// Dynamic programming from the last layer back: a program of the space is exactly one path of choices, since repeated
// blocks and the set of skipped layers can be read off the layer sequence.
void SearchSpace::count_completions() {
  const int blocks = options_.max_edits > 0 ? options_.max_block : 0;
  completions_.assign(cell({options_.depth, blocks, options_.max_edits, max_layers_}) + 1, 0.0);
  for (int layer = options_.depth; layer >= 0; --layer) {
    for (int block = 0; block <= blocks; ++block) {
      for (int edits = 0; edits <= options_.max_edits; ++edits) {
        for (int steps_left = 0; steps_left <= max_layers_; ++steps_left) {
          const State state{layer, block, edits, steps_left};
          double& ways = completions_[cell(state)];
          if (layer == options_.depth) {
            ways = steps_left == 0 ? 1 : 0;
            continue;
          }
          for (const Choice& choice : choices(state)) ways += completions_[cell(choice.next)];
        }
      }
    }
  }
}

double SearchSpace::count(int layers) const {
  if (layers < min_layers_ || layers > max_layers_) return 0;
  return completions_[cell({0, 0, 0, layers})];
}

double SearchSpace::count() const {
  double sum = 0;
  for (int layers = min_layers_; layers <= max_layers_; ++layers) sum += count(layers);
  return sum;
}

core::Program SearchSpace::random_program(int layers, core::Random& random) const {
  if (count(layers) == 0) {
    throw core::UsageError(
        fmt::format("search space: no program of {} layer executions: expected a length from {} to {}", layers,
                    min_layers_, max_layers_));
  }
  std::vector<core::Program::Layer> steps;
  State state{0, 0, 0, layers};
  while (state.layer < options_.depth) {
    double draw = random.uniform() * completions_[cell(state)];
    Choice taken;
    for (const Choice& choice : choices(state)) {
      const double ways = completions_[cell(choice.next)];
      if (ways == 0) continue;
      taken = choice;  // the last possible one stands when rounding leaves a rest of `draw`
      draw -= ways;
      if (draw < 0) break;
    }
    for (int run = 0; run < taken.runs; ++run) {
      for (int layer = state.layer; layer < taken.next.layer; ++layer)
        steps.push_back(static_cast<core::Program::Layer>(layer));
    }
    state = taken.next;
  }
  return core::Program(std::move(steps));
}

}  // namespace polar::search
