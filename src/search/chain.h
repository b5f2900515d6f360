#pragma once
// The published codes' tree search, as they run it (method.md 2, "authors' released code" and "Dr.LLM").

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/seed.h"
#include "search/search.h"

namespace polar::search {

/// score(child) = W/n + c·sqrt(ln V / n) − λ·K/D with V the parent's visits, or V + 1 (options.log_visits_plus_one).
double chain_score(double reward_sum, int visits, int parent_visits, double depth_ratio, const SearchOptions& options);

/// One simulation:
///   1. From the root (identity) descend through expanded nodes: to a random child with probability ε, else to the
///      visited child of highest score. Unvisited children rank below visited ones, so that the search runs down one
///      chain.
///   2. Expand the node reached: its children are all programs of one more edit.
///   3. A random child of it is tried (the node itself when it has none).
///   4. Its reward goes to every node from there to the root.
/// A program that was tried before is not tried again: its reward is backed up and the next simulation begins, which is
/// more than the published code makes of the same budget. kMostRepeats such simulations in a row end the search,
/// which calls the space exhausted only where its count says that all of it was tried.
/// Seeded by derive_seed(root_seed, "chain search", example).
class ChainSearch final : public Search {
 public:
  static constexpr int kMostRepeats = 10'000;

  ChainSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options, std::uint64_t root_seed);

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram& tried, const Outcome& outcome) override;

 private:
  struct Node {
    EditedProgram edited;
    int parent = -1;
    int visits = 0;
    double reward_sum = 0;
    bool expanded = false;
    std::vector<int> visited = {};         ///< children as nodes
    std::vector<core::Edit> untried = {};  ///< other children
  };
  int descend();
  int best_child(int node) const;
  int random_child(int node);
  int take_untried(int node, std::size_t index);
  void expand(int node);
  void back_up(int node, double gained);

  core::Random random_;
  std::vector<Node> nodes_;                            ///< 0 = root
  std::unordered_map<core::Program, double> rewards_;  ///< of everything tried
  std::unordered_map<core::Program, int> waiting_;     ///< selected → node
};

}  // namespace polar::search
