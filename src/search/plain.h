#pragma once
// Searches that learn nothing: all programs, or random ones.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/seed.h"
#include "search/search.h"

namespace polar::search {

/// The whole space in the order of SearchSpace::enumerate(): all programs of one edit, then of two, … Every example
/// meets the same programs, so that the results are a full outcome matrix (outcome_matrix.h).
class ExhaustiveSearch final : public Search {
 public:
  ExhaustiveSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                   std::shared_ptr<const std::vector<EditedProgram>> all);

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram&, const Outcome&) override {}

 private:
  std::shared_ptr<const std::vector<EditedProgram>> all_;
  std::size_t next_ = 0;
};

/// Uniform by depth: first a number of layer executions, every one that still has untried programs alike, then an
/// untried program of that many, all alike. Seeded by derive_seed(root_seed, "random search", example).
class RandomSearch final : public Search {
 public:
  RandomSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
               std::uint64_t root_seed);

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram&, const Outcome&) override {}

 private:
  core::Random random_;
  std::vector<int> lengths_;  ///< with untried programs
};

}  // namespace polar::search
