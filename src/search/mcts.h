#pragma once
// Monte-Carlo tree search over the programs of one example (method.md 2; architecture.md, "Search semantics").

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/edit.h"
#include "core/program.h"
#include "search/search.h"

namespace polar::search {

/// score(child) = W/n + c·sqrt(ln n_parent / n) − λ·K/D, with W the summed reward and n the visits of the child's
/// subtree.
double child_score(double reward_sum, int visits, int parent_visits, double depth_ratio, const SearchOptions& options);

/// Children a node of n ≥ 1 visits may have: max(1, ceil(a·n^e)).
int widened_children(int visits, const SearchOptions& options);

/// The tree of one example. A node is a program, an action one more edit of the space; a program stands in a tree once.
///
/// The root is the identity. One leaf is selected so:
///   1. At a node that may be wider, the next candidate edit that gives a program not yet tried becomes a child and is
///      the leaf. Candidates come in one shuffle per example; those that give nothing new cost nothing.
///   2. Otherwise descend to the child of highest score; ties go to the smaller program.
///   3. A node below which nothing is left to try is closed; a node with closed children only is widened beyond its
///      share.
/// Every node on the way gets its visit at once and its reward when backed up (a virtual visit), so that the leaves of
/// a round differ. Programs that Search tried of itself become children of the root.
class TreeSearch final : public Search {
 public:
  /// The shuffle is seeded by derive_seed(root_seed, "search", example). Throws UsageError for bad options.
  TreeSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options, std::uint64_t root_seed);

  /// A node as the tree sees it, for tests and inspection; visits = 0 when the program is not in the tree.
  struct NodeStatistics {
    int visits = 0;
    double reward_sum = 0;
  };
  NodeStatistics statistics(const core::Program& program) const;

 protected:
  std::optional<EditedProgram> next() override;
  void learn(const EditedProgram& tried, const Outcome& outcome) override;

 private:
  struct Node {
    Node(EditedProgram made, int under) : edited(std::move(made)), parent(under) {}
    EditedProgram edited;
    int parent;
    int visits = 0;
    double reward_sum = 0;
    int children_made = 0;           ///< closed ones included
    std::size_t next_candidate = 0;  ///< in candidates_
    std::vector<int> open_children;
  };
  int add_node(EditedProgram program, int parent);
  int select_leaf();
  int make_child(int node);
  int best_open_child(int node) const;
  void close(int node);
  void visit(int leaf);

  std::vector<core::Edit> candidates_;
  std::vector<Node> nodes_;  ///< 0 = root
  std::unordered_map<core::Program, int> node_of_;
  bool root_closed_ = false;
};

}  // namespace polar::search
