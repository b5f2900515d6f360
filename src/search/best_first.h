#pragma once
// Searches that follow the best programs so far by value: reward − λ·K/D.

#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/edit.h"
#include "search/search.h"

namespace polar::search {

/// The next child of the program of highest value that still has one. Children come in one shuffle of the edits per
/// example; ties go to the smaller program. Seeded by derive_seed(root_seed, "best-first search", example).
class BestFirstSearch final : public Search {
 public:
  BestFirstSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                  std::uint64_t root_seed);

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram& tried, const Outcome& outcome) override;

 private:
  struct Open {
    EditedProgram edited;
    double value = 0;
    std::size_t next_candidate = 0;
  };
  void insert(Open open);

  std::vector<core::Edit> candidates_;
  std::vector<Open> open_;  ///< best first
};

/// Level by level. The first level is beam_width · beam_children children of the identity; each later one is
/// beam_children children of each of the beam_width best programs of the level before, best first. A level without
/// children ends the descent, and the next one begins at the identity with children not tried yet. When the identity
/// has none left, untried children of anything tried are taken in order, so that the search ends only when nothing is
/// left to extend. Seeded by derive_seed(root_seed, "beam search", example).
class BeamSearch final : public Search {
 public:
  BeamSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options, std::uint64_t root_seed);

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram& tried, const Outcome& outcome) override;

 private:
  /// A program of the beam and how many of its children this level may still have.
  struct Parent {
    EditedProgram edited;
    int children_left = 0;
    std::size_t next_candidate = 0;
  };
  struct Tried {
    EditedProgram edited;
    std::size_t next_candidate = 0;
  };
  std::optional<EditedProgram> next_child(Parent& parent);
  std::optional<EditedProgram> next_in_order();
  void begin_descent();
  void begin_level();

  std::vector<core::Edit> candidates_;
  std::vector<Parent> beam_;
  std::vector<std::pair<double, EditedProgram>> level_;  ///< tried children of the beam, with their values
  std::unordered_set<core::Program> of_level_;           ///< selected for this level and still under way
  std::size_t next_of_root_ = 0;
  std::vector<Tried> tried_;  ///< in the order tried
  std::size_t in_order_ = 0;  ///< those before it have no untried child
};

}  // namespace polar::search
