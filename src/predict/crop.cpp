#include "predict/crop.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "core/error.h"

namespace polar::predict {
namespace {

/// What it costs to turn the first steps of the program into something.
struct Cost {
  int distance = std::numeric_limits<int>::max();  ///< executions removed plus added
  int length = 0;                                  ///< executions of the result
  int origin = 0;                                  ///< steps that the segments before the last one stand for

  bool better_than(const Cost& other) const {
    return distance != other.distance ? distance < other.distance : length < other.length;
  }
  Cost plus(int edits, int executions) const { return {distance + edits, length + executions, origin}; }
};

/// One cost a number of steps, 0 … K.
using Costs = std::vector<Cost>;

void improve(Cost& cost, const Cost& by) {
  if (by.better_than(cost)) cost = by;
}

/// Also removing steps at the end.
void remove_steps(Costs& costs) {
  for (std::size_t step = 1; step < costs.size(); ++step) improve(costs[step], costs[step - 1].plus(1, 0));
}

/// The costs after running layer `layer` next: as the step that the program has there, or added.
Costs run_layer(const Costs& before, int layer, const core::Program& program) {
  Costs after(before.size());
  for (std::size_t step = 0; step < before.size(); ++step) {
    improve(after[step], before[step].plus(1, 1));
    if (step > 0 && program[step - 1] == layer) improve(after[step], before[step - 1].plus(0, 1));
  }
  remove_steps(after);
  return after;
}

struct Best {
  Cost cost;
  core::Segment last;  ///< of the segments up to here
};

/// The best segmentations of layers 0 … boundary−1 that stand for the program's first steps: [boundary][steps].
class Cropping {
 public:
  Cropping(const core::Program& program, const TargetOptions& options)
      : program_(program), options_(options), best_(static_cast<std::size_t>(options.depth) + 1) {
    Costs start(static_cast<std::size_t>(program.length()) + 1);
    start[0] = {0, 0, 0};
    remove_steps(start);
    for (int layer = 0; layer < options.first_layer; ++layer) start = run_layer(start, layer, program);
    best_[first()].resize(start.size());
    for (std::size_t step = 0; step < start.size(); ++step) best_[first()][step].cost = start[step];
    for (std::size_t boundary = first() + 1; boundary < best_.size(); ++boundary) best_[boundary].resize(start.size());
    for (int layer = options.first_layer; layer < options.depth; ++layer) extend(layer);
  }

  core::Program result() const {
    core::Segments segments;
    int steps = program_.length();
    for (int end = options_.depth; end > options_.first_layer; end = segments.back().first) {
      const Best& best = best_[static_cast<std::size_t>(end)][static_cast<std::size_t>(steps)];
      segments.push_back(best.last);
      steps = best.cost.origin;
    }
    for (int layer = options_.first_layer - 1; layer >= 0; --layer) segments.push_back({layer, 1, 1});
    std::ranges::reverse(segments);
    return core::expand(segments, options_.depth);
  }

 private:
  std::size_t first() const { return static_cast<std::size_t>(options_.first_layer); }

  /// Every segment that starts at this layer.
  void extend(int layer) {
    Costs start;
    for (const Best& best : best_[static_cast<std::size_t>(layer)]) {
      start.push_back(best.cost);
      start.back().origin = static_cast<int>(start.size()) - 1;
    }
    for (int length = std::min(options_.limits.max_length, options_.depth - layer); length >= 1; --length) {
      Costs costs = start;
      for (int runs = 0; runs <= options_.limits.max_runs; ++runs) {
        if (runs > 0)
          for (int i = 0; i < length; ++i) costs = run_layer(costs, layer + i, program_);
        auto& ends = best_[static_cast<std::size_t>(layer + length)];
        for (std::size_t step = 0; step < costs.size(); ++step)
          if (costs[step].better_than(ends[step].cost)) ends[step] = {costs[step], {layer, length, runs}};
      }
    }
  }

  const core::Program& program_;
  const TargetOptions& options_;
  std::vector<std::vector<Best>> best_;
};

}  // namespace

core::Program nearest_emittable(const core::Program& program, const TargetOptions& options) {
  check_target_options(options);
  if (program.empty()) throw core::Error("cropping: expected a program, found an empty one");
  return Cropping(program, options).result();
}

void crop_unemittable(std::span<const task::ExampleId> ids, std::span<std::vector<ValidProgram>> valid,
                      const TargetOptions& options, search::Evaluator& evaluator, TargetCounts& counts) {
  if (ids.size() != valid.size()) {
    throw core::Error(
        fmt::format("cropping: expected programs of {} examples, found those of {}", ids.size(), valid.size()));
  }
  struct Crop {
    ValidProgram* replaced;
    std::size_t trial;
  };
  std::vector<Crop> crops;
  std::vector<search::Trial> trials;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::map<core::Program, std::size_t> trial_of;
    for (ValidProgram& one : valid[i]) {
      if (parse_after_prefix(one.program, options)) continue;
      core::Program crop = nearest_emittable(one.program, options);
      const auto [found, is_new] = trial_of.emplace(std::move(crop), trials.size());
      if (is_new) trials.push_back({ids[i], found->first, {}});
      crops.push_back({&one, found->second});
    }
  }
  if (trials.empty()) return;
  const std::vector<search::Outcome> outcomes = evaluator.evaluate(trials);
  for (const Crop& crop : crops) {
    ++counts.cropped;
    if (!outcomes[crop.trial].correct) continue;
    ++counts.crops_valid;
    *crop.replaced = {trials[crop.trial].program, outcomes[crop.trial].margin};
  }
}

}  // namespace polar::predict
