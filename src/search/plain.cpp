#include "search/plain.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace polar::search {

ExhaustiveSearch::ExhaustiveSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                                   std::shared_ptr<const std::vector<EditedProgram>> all)
    : Search(std::move(example), space, options), all_(std::move(all)) {}

std::optional<EditedProgram> ExhaustiveSearch::next() {
  while (next_ < all_->size()) {
    const EditedProgram& program = (*all_)[next_++];
    if (!known(program.program)) return program;
  }
  return std::nullopt;
}

RandomSearch::RandomSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                           std::uint64_t root_seed)
    : Search(std::move(example), space, options),
      random_(core::derive_seed(root_seed, "random search", this->example())) {
  for (int layers = space.min_layers(); layers <= space.max_layers(); ++layers) {
    if (space.count(layers) > 0) lengths_.push_back(layers);
  }
}

std::optional<EditedProgram> RandomSearch::next() {
  while (!lengths_.empty()) {
    const std::size_t drawn = random_.below(lengths_.size());
    const int layers = lengths_[drawn];
    // Rejection keeps the untried ones alike. A length of n programs is given up after 20 n draws without a new one,
    // which leaves each untried program a chance of e^-20 to have been missed.
    const auto most_draws = static_cast<std::int64_t>(std::min(1e15, 20 * space().count(layers)));
    for (std::int64_t draw = 0; draw < most_draws; ++draw) {
      core::Program program = space().random_program(layers, random_);
      if (!known(program)) return space().find(program);
    }
    lengths_.erase(lengths_.begin() + static_cast<std::ptrdiff_t>(drawn));
  }
  return std::nullopt;
}

}  // namespace polar::search
