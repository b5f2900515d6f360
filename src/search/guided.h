#pragma once
// What the example showed so far says which program to try next.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/seed.h"
#include "search/additive_model.h"
#include "search/search.h"

namespace polar::search {

/// Thompson sampling over programs (W. R. Thompson, Biometrika 25 (1933), 285–294). A program is valid when its margin
/// is above 0, so the search models margins (AdditiveModel) and chooses each trial so:
///   1. Draw one plausible effect of every edit from the posterior; so the leaves of a round differ.
///   2. Extend by one edit the identity and the kStarts programs of the largest margins: pairs come from good singles.
///      Under the draw a program's margin is the sum of its edits' effects and b.
///   3. Each of these proposes its untried extension by the edit of the largest effect drawn; where the goal is the
///      shortest, one such for every number of layers. Of the proposals, take the one that the goal ranks first.
/// Until something is valid, or where any valid program will do, the goal is the margin. Then objective kShortest looks
/// among shorter programs only: those whose margin would be above 0 first, the shortest of them, then the largest
/// margin. kBest does so every other trial and looks for the largest margin in between; kPareto looks for the largest
/// margin of at most a random number of layers. Once the fewest layers of the space are valid, the largest margin of
/// that few is what is shorter. Margins are ranked less length_penalty / D logits a layer. When nothing new is met, any
/// length will do; when nothing is left of that either, untried single extensions of anything tried are taken in order,
/// so that the search ends only when nothing is left to extend.
///
/// Draws are seeded by derive_seed(root_seed, "guided search", example).
class GuidedSearch final : public Search {
 public:
  static constexpr int kStarts = 8;

  GuidedSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
               std::uint64_t root_seed);

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram& tried, const Outcome& outcome) override;

 private:
  struct Tried {
    EditedProgram edited;
    double margin = 0;
    std::size_t next_candidate = 0;
  };
  /// A program that could be tried, and its margin under the draw.
  struct Proposal {
    EditedProgram edited;
    double margin = 0;
  };
  struct Goal {
    int most_layers = 0;
    bool shortest = false;
  };
  Goal next_goal();
  std::optional<EditedProgram> best_extension(std::span<const double> drawn, const Goal& goal) const;
  bool better(const Proposal& a, const Proposal& b, const Goal& goal) const;
  void extend(const EditedProgram& start, std::span<const double> drawn, std::span<const std::size_t> order,
              const Goal& goal, std::optional<Proposal>& best) const;
  std::optional<EditedProgram> next_in_order();

  core::Random random_;
  AdditiveModel model_;
  std::vector<Tried> tried_;
  std::vector<std::size_t> by_margin_;  ///< largest first
  std::size_t in_order_ = 0;
  int turn_ = 0;
};

}  // namespace polar::search
