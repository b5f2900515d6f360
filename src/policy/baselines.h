#pragma once
// Planners of baselines that decide without looking at the input (method.md 5). Those that rank the same programs for
// every input are FixedPlanners: experiment/train_baselines.h says how these are found.

#include <cstdint>
#include <string>
#include <vector>

#include "policy/planner.h"

namespace polar::policy {

struct WeightedProgram {
  core::Program program;
  double weight = 0;  ///< > 0
  friend bool operator==(const WeightedProgram&, const WeightedProgram&) = default;
};

/// The k heaviest programs, the heaviest first, of equals the smaller one; all where there are fewer than k.
RankedPrograms heaviest(std::vector<WeightedProgram> programs, int count);

/// `label_draw`: programs drawn from the labels' distribution. The k candidates are drawn one after the other without
/// replacement, each with a probability proportional to its weight, by a seed derived from the input's id; all of them
/// where there are fewer than k.
class LabelDrawPlanner final : public Planner {
 public:
  /// Throws core::Error when there is no program or a weight is not a finite number > 0.
  LabelDrawPlanner(std::vector<WeightedProgram> prior, std::uint64_t seed, int candidates);
  std::string name() const override { return "label_draw"; }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;

 private:
  RankedPrograms drawn(const Input& input) const;

  std::vector<WeightedProgram> prior_;
  std::uint64_t seed_;
  int candidates_;
};

/// `base_sampling_T`: the unchanged model, answered k times at temperature T, as PoLar's table of base sampling does
/// (arXiv 2606.06574). The k candidates are the identity's samples 0 … k − 1; the noise is counter-based, so that they
/// are the same in every run. The paper takes the best temperature at each k: eval::best_of makes those figures from
/// the policies of all temperatures.
class SamplingPlanner final : public Planner {
 public:
  /// temperature > 0.
  SamplingPlanner(int depth, double temperature, int candidates);
  /// "base_sampling_0.3".
  static std::string name_of(double temperature);
  std::string name() const override { return name_of(temperature_); }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;
  search::Sample sample(std::size_t rank) const override { return {temperature_, static_cast<int>(rank)}; }

 private:
  RankedPrograms identity_;  ///< as often as there are candidates
  double temperature_;
};

}  // namespace polar::policy
