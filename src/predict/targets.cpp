#include "predict/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <unordered_set>
#include <utility>

#include "core/error.h"

namespace polar::predict {
namespace {

constexpr int kNoStart = -1;           ///< operation label where no segment starts
constexpr double kLowestMargin = -20;  ///< lower margins count as this, so that every weight is > 0
constexpr std::array kChoices{TargetChoice::kAll, TargetChoice::kShortest, TargetChoice::kCover};

bool keeps_prefix(const core::Program& program, int first_layer) {
  for (int step = 0; step < program.length(); ++step) {
    const int layer = program[step];
    if (step < first_layer ? layer != step : layer < first_layer) return false;
  }
  return program.length() >= first_layer;
}

SegmentTarget label(const core::Segments& segments, int depth) {
  SegmentTarget target{std::vector<int>(depth, 0), std::vector<int>(depth, kNoStart), 1.0};
  for (const core::Segment& segment : segments) {
    target.boundary[segment.first] = 1;
    target.operation[segment.first] = segment.runs;
  }
  return target;
}

/// A possible target.
struct Candidate {
  const ValidProgram* valid = nullptr;
  core::Segments segments;
};

/// The example's distinct emittable programs, at most max_programs, without an identity of weight 0 beside others.
std::vector<Candidate> candidates_of(std::span<const ValidProgram> valid, const TargetOptions& options,
                                     TargetCounts& counts) {
  std::vector<Candidate> candidates;
  std::unordered_set<core::Program> seen;
  for (const ValidProgram& one : valid) {
    ++counts.programs;
    if (!seen.insert(one.program).second) {
      ++counts.duplicates;
      continue;
    }
    bool prefix_edited = false;
    auto segments = parse_after_prefix(one.program, options, &prefix_edited);
    if (!segments) {
      ++(prefix_edited ? counts.prefix_edits : counts.unparsable);
    } else if (static_cast<int>(candidates.size()) == options.max_programs) {
      ++counts.over_limit;
    } else {
      candidates.push_back({&one, std::move(*segments)});
    }
  }
  if (options.identity_weight == 0 && candidates.size() > 1) {
    const core::Program identity = core::Program::identity(options.depth);
    counts.not_chosen += static_cast<int>(
        std::erase_if(candidates, [&](const Candidate& one) { return one.valid->program == identity; }));
  }
  return candidates;
}

/// The index of the shortest program, the first of equals.
std::size_t shortest_of(const std::vector<Candidate>& candidates) {
  const auto length = [](const Candidate& one) { return one.valid->program.length(); };
  return static_cast<std::size_t>(std::ranges::min_element(candidates, {}, length) - candidates.begin());
}

/// The index of the one target.
std::size_t chosen_of(const std::vector<Candidate>& candidates, TargetChoice choice,
                      std::span<const core::Program> cover) {
  if (choice == TargetChoice::kCover) {
    for (const core::Program& program : cover) {
      const auto found =
          std::ranges::find_if(candidates, [&](const Candidate& one) { return one.valid->program == program; });
      if (found != candidates.end()) return static_cast<std::size_t>(found - candidates.begin());
    }
    return 0;
  }
  return shortest_of(candidates);
}

/// Weights of method.md 3 and TargetOptions, scaled to mean 1.
void set_weights(ExampleTargets& targets, const std::vector<Candidate>& candidates, const TargetOptions& options) {
  const core::Program identity = core::Program::identity(options.depth);
  const int shortest = candidates[shortest_of(candidates)].valid->program.length();
  double sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const ValidProgram& one = *candidates[i].valid;
    double weight = std::exp(-options.length_weight * (one.program.length() - shortest));
    weight *= std::pow(1 / (1 + std::exp(-std::max(one.margin, kLowestMargin))), options.margin_weight);
    if (targets.size() > 1 && one.program == identity) weight *= options.identity_weight;
    targets[i].weight = weight;
    sum += weight;
  }
  for (SegmentTarget& target : targets) target.weight *= static_cast<double>(targets.size()) / sum;
}

}  // namespace

std::string_view to_string(TargetChoice choice) {
  switch (choice) {
    case TargetChoice::kShortest:
      return "shortest";
    case TargetChoice::kCover:
      return "cover";
    case TargetChoice::kAll:
      break;
  }
  return "all";
}

TargetChoice target_choice(std::string_view name) {
  for (const TargetChoice choice : kChoices)
    if (to_string(choice) == name) return choice;
  throw core::UsageError(fmt::format("targets: expected all, shortest or cover, found '{}'", name));
}

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
  if (options.max_programs < 1 || !(options.identity_weight >= 0 && options.identity_weight <= 1)) {
    throw core::UsageError(
        fmt::format("predictor: expected max_programs >= 1 and identity_weight from 0 to 1, found {} and {}",
                    options.max_programs, options.identity_weight));
  }
  const auto in_range = [](double weight, double high) { return weight >= 0 && weight <= high; };
  if (!in_range(options.length_weight, 1) || !in_range(options.margin_weight, 10)) {
    throw core::UsageError(
        fmt::format("predictor: expected length_weight from 0 to 1 and margin_weight from 0 to 10, found {} and {}",
                    options.length_weight, options.margin_weight));
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

core::Program program_of(const SegmentTarget& target) {
  const auto depth = static_cast<int>(target.boundary.size());
  core::Segments segments;
  for (int layer = 0; layer < depth; ++layer) {
    const auto at = static_cast<std::size_t>(layer);
    if (target.boundary[at] != 0) {
      segments.push_back({layer, 1, target.operation[at]});
    } else if (segments.empty()) {
      segments.push_back({0, 1, 1});  // the prefix
    } else {
      ++segments.back().length;
    }
  }
  return core::expand(segments, depth);
}

bool has_edits(const ExampleTargets& targets) {
  return std::ranges::any_of(targets, [](const SegmentTarget& target) {
    return std::ranges::any_of(target.operation, [](int runs) { return runs != kNoStart && runs != 1; });
  });
}

std::vector<core::Program> cover_order(std::span<const std::vector<ValidProgram>> examples,
                                       const TargetOptions& options) {
  check_target_options(options);
  TargetCounts unread;
  std::map<core::Program, std::vector<std::size_t>> holders;  // examples that the program may be a target of
  std::vector<std::vector<core::Program>> programs;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    programs.emplace_back();
    for (const Candidate& one : candidates_of(examples[i], options, unread)) {
      holders[one.valid->program].push_back(i);
      programs.back().push_back(one.valid->program);
    }
  }
  std::map<core::Program, std::size_t> uncovered;
  for (const auto& [program, held] : holders) uncovered[program] = held.size();
  std::vector<bool> covered(examples.size(), false);
  std::vector<core::Program> order;
  while (!uncovered.empty()) {
    const auto best = std::ranges::max_element(uncovered, {}, [](const auto& entry) { return entry.second; });
    if (best->second == 0) break;
    order.push_back(best->first);
    for (const std::size_t example : holders.at(order.back())) {
      if (covered[example]) continue;
      covered[example] = true;
      for (const core::Program& program : programs[example]) --uncovered[program];
    }
  }
  return order;
}

ExampleTargets make_targets(std::span<const ValidProgram> valid, const TargetOptions& options, TargetCounts& counts,
                            std::span<const core::Program> cover) {
  check_target_options(options);
  std::vector<Candidate> candidates = candidates_of(valid, options, counts);
  if (options.choice != TargetChoice::kAll && candidates.size() > 1) {
    counts.not_chosen += static_cast<int>(candidates.size()) - 1;
    candidates = {candidates[chosen_of(candidates, options.choice, cover)]};
  }
  ++counts.examples;
  counts.used += static_cast<int>(candidates.size());
  if (candidates.empty()) {
    ++counts.examples_without_targets;
    return {};
  }
  ExampleTargets targets;
  for (const Candidate& one : candidates) targets.push_back(label(one.segments, options.depth));
  set_weights(targets, candidates, options);
  return targets;
}

}  // namespace polar::predict
