#include "policy/planners.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/seed.h"

namespace polar::policy {

FixedPlanner::FixedPlanner(std::string name, RankedPrograms programs)
    : name_(std::move(name)), programs_(std::move(programs)) {
  if (programs_.empty()) throw core::Error(fmt::format("policy {}: expected at least one program, found none", name_));
}

std::vector<RankedPrograms> FixedPlanner::propose(std::span<const Input> inputs) {
  return std::vector<RankedPrograms>(inputs.size(), programs_);
}

RandomPlanner::RandomPlanner(const search::SearchSpace& space, std::uint64_t seed, int candidates)
    : space_(space), seed_(seed), candidates_(candidates) {
  if (space_.count(space_.depth()) < 2) {
    throw core::UsageError(
        "policy random: expected a space with programs as long as the identity besides it, found none; allow skips and "
        "repeats");
  }
}

std::vector<RankedPrograms> RandomPlanner::propose(std::span<const Input> inputs) {
  const auto available = static_cast<int>(std::min(1e6, space_.count(space_.depth()) - 1));
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) {
    core::Random random(core::derive_seed(seed_, "random policy", input.id));
    RankedPrograms programs;
    while (static_cast<int>(programs.size()) < std::min(candidates_, available)) {
      core::Program program = space_.random_program(space_.depth(), random);
      if (program == core::Program::identity(space_.depth())) continue;
      if (std::ranges::find(programs, program) == programs.end()) programs.push_back(std::move(program));
    }
    proposals.push_back(std::move(programs));
  }
  return proposals;
}

std::vector<RankedPrograms> PredictorPlanner::propose(std::span<const Input> inputs) {
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) {
    RankedPrograms programs;
    for (predict::ScoredProgram& scored : predictor_.propose(*input.features, beam_))
      programs.push_back(std::move(scored.program));
    proposals.push_back(std::move(programs));
  }
  return proposals;
}

std::vector<RankedPrograms> MenuPlanner::propose(std::span<const Input> inputs) {
  const std::vector<double> ratios = menu_.depth_ratios();
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) {
    const std::vector<float> pooled = predict::pooled(*input.features);
    predict::Matrix x(1, static_cast<int>(pooled.size()));
    std::ranges::copy(pooled, x.values.begin());
    const predict::Matrix scores = menu_.scorer.score(x);
    const auto value = [&](int index) {
      return scores.at(0, index) - menu_.rule.lambda * ratios[static_cast<std::size_t>(index)];
    };
    const int chosen = predict::choose(scores.row(0), ratios, menu_.rule);
    std::vector<int> order(menu_.menu.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int a, int b) {
      if ((a == chosen) != (b == chosen)) return a == chosen;
      return value(a) > value(b);
    });
    RankedPrograms programs;
    for (int index : order) {
      if (static_cast<int>(programs.size()) == candidates_) break;
      programs.push_back(menu_.menu[static_cast<std::size_t>(index)]);
    }
    proposals.push_back(std::move(programs));
  }
  return proposals;
}

OraclePlanner::OraclePlanner(const labels::LabelStore& store, int depth)
    : store_(store), identity_(core::Program::identity(depth)) {
  if (store.kind() != labels::StoreKind::kOracle) {
    throw core::Error(
        fmt::format("{}: expected a store of oracle searches, found labels for training", store.path().string()));
  }
}

std::vector<RankedPrograms> OraclePlanner::propose(std::span<const Input> inputs) {
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) {
    RankedPrograms best;
    if (store_.state(input.id).rounds > 0) {
      const std::vector<search::RecordedTrial> valid = store_.valid_programs(input.id);
      best.push_back(valid.empty() ? identity_ : valid.front().program);
    }
    proposals.push_back(std::move(best));
  }
  return proposals;
}

}  // namespace polar::policy
