#pragma once
// Which class stands behind each algorithm.

#include <cstdint>
#include <memory>
#include <vector>

#include "search/options.h"
#include "search/search.h"
#include "search/space.h"

namespace polar::search {

/// Makes the searches of many examples. `space` must outlive it and them. Thread-safe.
class SearchFactory {
 public:
  /// Throws UsageError for bad options, for kTransfer without first_programs, and for kExhaustive where the budget is
  /// smaller than the space or the space is not counted.
  SearchFactory(const SearchSpace& space, SearchOptions options, std::uint64_t root_seed);

  std::unique_ptr<Search> make(const task::ExampleId& example) const;

 private:
  const SearchSpace& space_;
  SearchOptions options_;
  std::uint64_t root_seed_;
  std::shared_ptr<const std::vector<EditedProgram>> all_;  ///< kExhaustive only
};

}  // namespace polar::search
