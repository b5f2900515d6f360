#pragma once
// Evolution: an elite of programs, changed a little and crossed.

#include <cstdint>
#include <vector>

#include "core/edit.h"
#include "core/seed.h"
#include "search/search.h"

namespace polar::search {

/// Steady-state evolution. Each new program is, with equal chances, the mutation of one parent (an edit more, an edit
/// less, or one edit exchanged for another, with equal chances; the identity can only gain one) or the crossover of two
/// (each edit of either with probability ½, in random order, left out where it does not fit). Parents are drawn evenly,
/// with replacement, from the options.elite programs of highest value so far; until an outcome is known the identity is
/// mutated. A program met before, or none, is drawn again; after kMostDraws of them untried single extensions of
/// anything tried are taken, highest value first, so that the search ends only when nothing is left to extend. Seeded
/// by derive_seed(root_seed, "evolution", example).
class EvolveSearch final : public Search {
 public:
  static constexpr int kMostDraws = 200;

  EvolveSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
               std::uint64_t root_seed);

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram& tried, const Outcome& outcome) override;

 private:
  struct Member {
    EditedProgram edited;
    double value = 0;
    std::size_t next_candidate = 0;
  };
  const EditedProgram& parent();
  std::optional<EditedProgram> mutated(const EditedProgram& from);
  std::optional<EditedProgram> crossed(const EditedProgram& a, const EditedProgram& b);
  core::Edit random_edit();

  core::Random random_;
  std::vector<Member> members_;  ///< everything tried, highest value first
};

}  // namespace polar::search
