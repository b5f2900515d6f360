#include "policy/baselines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/seed.h"

namespace polar::policy {

RankedPrograms heaviest(std::vector<WeightedProgram> programs, int count) {
  std::ranges::sort(programs, [](const WeightedProgram& a, const WeightedProgram& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.program < b.program;
  });
  programs.resize(std::min(programs.size(), static_cast<std::size_t>(count)));
  RankedPrograms ranked;
  for (WeightedProgram& one : programs) ranked.push_back(std::move(one.program));
  return ranked;
}

LabelDrawPlanner::LabelDrawPlanner(std::vector<WeightedProgram> prior, std::uint64_t seed, int candidates)
    : prior_(std::move(prior)), seed_(seed), candidates_(candidates) {
  if (prior_.empty()) throw core::Error("policy label_draw: expected at least one program, found none");
  for (const WeightedProgram& one : prior_) {
    if (!std::isfinite(one.weight) || one.weight <= 0)
      throw core::Error(fmt::format("policy label_draw: program {}: expected a weight > 0, found {}",
                                    one.program.text(), one.weight));
  }
}

std::vector<RankedPrograms> LabelDrawPlanner::propose(std::span<const Input> inputs) {
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) proposals.push_back(drawn(input));
  return proposals;
}

RankedPrograms LabelDrawPlanner::drawn(const Input& input) const {
  core::Random random(core::derive_seed(seed_, "label draw", input.id));
  std::vector<const WeightedProgram*> left;
  for (const WeightedProgram& one : prior_) left.push_back(&one);
  RankedPrograms programs;
  while (static_cast<int>(programs.size()) < candidates_ && !left.empty()) {
    double total = 0;
    for (const WeightedProgram* one : left) total += one->weight;
    double rest = random.uniform() * total;
    const auto passed = [&rest](const WeightedProgram* one) { return (rest -= one->weight) < 0; };
    auto chosen = std::ranges::find_if(left, passed);
    if (chosen == left.end()) --chosen;  // rounding
    programs.push_back((*chosen)->program);
    left.erase(chosen);
  }
  return programs;
}

SamplingPlanner::SamplingPlanner(int depth, double temperature, int candidates)
    : identity_(static_cast<std::size_t>(candidates), core::Program::identity(depth)), temperature_(temperature) {}

std::string SamplingPlanner::name_of(double temperature) {
  return fmt::format("base_sampling_{}", temperature);
}

std::vector<RankedPrograms> SamplingPlanner::propose(std::span<const Input> inputs) {
  return std::vector<RankedPrograms>(inputs.size(), identity_);
}

}  // namespace polar::policy
