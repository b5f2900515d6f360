#include "policy/planners.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/seed.h"
#include "pool/module_pool.h"

namespace polar::policy {

FixedPlanner::FixedPlanner(std::string name, RankedPrograms programs)
    : name_(std::move(name)), programs_(std::move(programs)) {
  if (programs_.empty()) throw core::Error(fmt::format("policy {}: expected at least one program, found none", name_));
}

std::vector<RankedPrograms> FixedPlanner::propose(std::span<const Input> inputs) {
  return std::vector<RankedPrograms>(inputs.size(), programs_);
}

RankedPrograms random_programs(const search::SearchSpace& space, std::uint64_t seed, int count) {
  const double others = space.count(space.depth()) - 1;
  if (others < 1) {
    throw core::UsageError(
        "policy random: expected a space with programs as long as the identity besides it, found none; allow skips and "
        "repeats");
  }
  const core::Program identity = core::Program::identity(space.depth());
  const auto wanted = static_cast<std::size_t>(std::min<double>(count, others));
  core::Random random(seed);
  RankedPrograms programs;
  while (programs.size() < wanted) {
    core::Program program = space.random_program(space.depth(), random);
    if (program == identity || std::ranges::find(programs, program) != programs.end()) continue;
    programs.push_back(std::move(program));
  }
  return programs;
}

RandomPlanner::RandomPlanner(const search::SearchSpace& space, std::uint64_t seed, int candidates)
    : space_(space), seed_(seed), candidates_(candidates) {
  random_programs(space_, seed_, 1);  // refuses a space without any
}

std::vector<RankedPrograms> RandomPlanner::propose(std::span<const Input> inputs) {
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs)
    proposals.push_back(random_programs(space_, core::derive_seed(seed_, "random policy", input.id), candidates_));
  return proposals;
}

std::vector<RankedPrograms> PredictorPlanner::propose(std::span<const Input> inputs) {
  const pool::OneIntraOpThread alone;
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) {
    RankedPrograms programs;
    for (predict::ScoredProgram& scored : predictor_.propose(*input.features))
      programs.push_back(std::move(scored.program));
    proposals.push_back(std::move(programs));
  }
  return proposals;
}

std::vector<RankedPrograms> LevelPredictorPlanner::propose(std::span<const Input> inputs) {
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) {
    const auto own = predictors_.find(input.level);
    proposals.push_back(own == predictors_.end()
                            ? RankedPrograms{identity_}
                            : std::move(PredictorPlanner(own->second).propose(std::span(&input, 1)).front()));
  }
  return proposals;
}

std::vector<RankedPrograms> MenuPlanner::propose(std::span<const Input> inputs) {
  const pool::OneIntraOpThread alone;
  const std::vector<double> ratios = menu_.depth_ratios();
  std::vector<RankedPrograms> proposals;
  for (const Input& input : inputs) {
    const predict::Matrix scores = menu_.scores(predict::pooled(*input.features, menu_.pooling));
    RankedPrograms programs;
    for (int index : predict::ranking(scores.row(0), ratios, menu_.rule)) {
      if (static_cast<int>(programs.size()) == candidates_) break;
      programs.push_back(menu_.menu[static_cast<std::size_t>(index)]);
    }
    proposals.push_back(std::move(programs));
  }
  return proposals;
}

std::unique_ptr<Cascade> MenuPlanner::cascade(const RankedPrograms& ranked) const {
  return menu_.cascade ? std::make_unique<RankedCascade>(ranked, *menu_.cascade) : nullptr;
}

OraclePlanner::OraclePlanner(const labels::LabelStore& store, int depth, std::string name)
    : store_(store), identity_(core::Program::identity(depth)), name_(std::move(name)) {
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
