#include "predict/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "core/error.h"

namespace polar::predict {
namespace {

bool keeps_prefix(const core::Program& program, int first_layer) {
  for (int step = 0; step < program.length(); ++step) {
    const int layer = program[step];
    if (step < first_layer ? layer != step : layer < first_layer) return false;
  }
  return program.length() >= first_layer;
}

SegmentTarget label(const core::Segments& segments, int depth) {
  SegmentTarget target{std::vector<int>(depth, 0), std::vector<int>(depth, -1), 1.0};
  for (const core::Segment& segment : segments) {
    target.boundary[segment.first] = 1;
    target.operation[segment.first] = segment.runs;
  }
  return target;
}

void normalise_weights(ExampleTargets& targets) {
  double sum = 0;
  for (const SegmentTarget& target : targets) sum += target.weight;
  for (SegmentTarget& target : targets) target.weight *= static_cast<double>(targets.size()) / sum;
}

}  // namespace

void check_target_options(const TargetOptions& options) {
  if (options.first_layer < 0 || options.first_layer >= options.depth) {
    throw core::UsageError(fmt::format("predictor: first_layer: expected 0 … depth - 1 with depth {}, found {}",
                                       options.depth, options.first_layer));
  }
  if (options.limits.max_length < 1 || options.limits.max_runs < 1) {
    throw core::UsageError(
        fmt::format("predictor: segment limits: expected length and runs of at least 1, found {} and {}",
                    options.limits.max_length, options.limits.max_runs));
  }
  if (options.max_programs < 1 || !(options.identity_weight > 0)) {
    throw core::UsageError(fmt::format("predictor: expected max_programs >= 1 and identity_weight > 0, found {} and {}",
                                       options.max_programs, options.identity_weight));
  }
}

std::optional<core::Segments> parse_after_prefix(const core::Program& program, const TargetOptions& options,
                                                 bool* prefix_edited) {
  const int first = options.first_layer;
  const bool kept = keeps_prefix(program, first);
  if (prefix_edited != nullptr) *prefix_edited = !kept;
  if (!kept) return std::nullopt;
  const int rest = options.depth - first;
  core::Segments segments;
  if (program.length() == first) {  // everything after the prefix is skipped
    for (int layer = 0; layer < rest; layer += options.limits.max_length) {
      segments.push_back({layer, std::min(options.limits.max_length, rest - layer), 0});
    }
  } else {
    std::vector<core::Program::Layer> suffix;
    for (int step = first; step < program.length(); ++step) {
      suffix.push_back(static_cast<core::Program::Layer>(program[step] - first));
    }
    auto parsed = core::parse_segments(core::Program(std::move(suffix)), rest, options.limits);
    if (!parsed) return std::nullopt;
    segments = std::move(*parsed);
  }
  for (core::Segment& segment : segments) segment.first += first;
  return segments;
}

ExampleTargets make_targets(std::span<const core::Program> valid, const TargetOptions& options, TargetCounts& counts) {
  check_target_options(options);
  const core::Program identity = core::Program::identity(options.depth);
  ExampleTargets targets;
  std::unordered_set<core::Program> seen;
  std::optional<std::size_t> identity_at;
  for (const core::Program& program : valid) {
    ++counts.programs;
    if (!seen.insert(program).second) {
      ++counts.duplicates;
      continue;
    }
    bool prefix_edited = false;
    const auto segments = parse_after_prefix(program, options, &prefix_edited);
    if (!segments) {
      ++(prefix_edited ? counts.prefix_edits : counts.unparsable);
      continue;
    }
    if (static_cast<int>(targets.size()) == options.max_programs) {
      ++counts.over_limit;
      continue;
    }
    ++counts.used;
    if (program == identity) identity_at = targets.size();
    targets.push_back(label(*segments, options.depth));
  }
  ++counts.examples;
  if (targets.empty()) ++counts.examples_without_targets;
  if (identity_at && targets.size() > 1) targets[*identity_at].weight = options.identity_weight;
  if (!targets.empty()) normalise_weights(targets);
  return targets;
}

}  // namespace polar::predict
