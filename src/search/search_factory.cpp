#include "search/search_factory.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"
#include "search/best_first.h"
#include "search/chain.h"
#include "search/evolve.h"
#include "search/guided.h"
#include "search/mcts.h"
#include "search/plain.h"

namespace polar::search {

SearchFactory::SearchFactory(const SearchSpace& space, SearchOptions options, std::uint64_t root_seed)
    : space_(space), options_(std::move(options)), root_seed_(root_seed) {
  options_.check();
  if (options_.algorithm == Algorithm::kTransfer && options_.first_programs.empty())
    throw core::UsageError("search: algorithm transfer: expected programs to start from, found none");
  if (options_.algorithm == Algorithm::kRandom && !space.counted()) {
    throw core::UsageError(fmt::format(
        "search: algorithm random: expected a space that can be counted, to draw from it evenly, found {}; allow fewer "
        "edits or shorter blocks, or take search.edits disjoint",
        space.describe()));
  }
  if (options_.algorithm != Algorithm::kExhaustive) return;
  if (!space.counted() || space.count() > options_.rollouts) {
    throw core::UsageError(
        fmt::format("search: rollouts: expected at least the whole space for the algorithm exhaustive, {}, found {}; "
                    "allow fewer edits or more rollouts",
                    space.describe(), options_.rollouts));
  }
  all_ = std::make_shared<const std::vector<EditedProgram>>(
      space.enumerate(static_cast<std::size_t>(options_.rollouts)).value());
}

std::unique_ptr<Search> SearchFactory::make(const task::ExampleId& example) const {
  switch (options_.algorithm) {
    case Algorithm::kGuided:
    case Algorithm::kTransfer:
      return std::make_unique<GuidedSearch>(example, space_, options_, root_seed_);
    case Algorithm::kMcts:
    case Algorithm::kPaper:
    case Algorithm::kReplication:
      return std::make_unique<TreeSearch>(example, space_, options_, root_seed_);
    case Algorithm::kAuthors:
    case Algorithm::kDrLlm:
      return std::make_unique<ChainSearch>(example, space_, options_, root_seed_);
    case Algorithm::kBestFirst:
      return std::make_unique<BestFirstSearch>(example, space_, options_, root_seed_);
    case Algorithm::kBeam:
      return std::make_unique<BeamSearch>(example, space_, options_, root_seed_);
    case Algorithm::kRandom:
      return std::make_unique<RandomSearch>(example, space_, options_, root_seed_);
    case Algorithm::kEvolve:
      return std::make_unique<EvolveSearch>(example, space_, options_, root_seed_);
    case Algorithm::kExhaustive:
      return std::make_unique<ExhaustiveSearch>(example, space_, options_, all_);
  }
  throw core::Error("search: unknown algorithm");
}

}  // namespace polar::search
