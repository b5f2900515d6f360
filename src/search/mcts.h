#pragma once
// Monte-Carlo tree search over the programs of one example (method.md 2; architecture.md, "Search semantics").

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/edit.h"
#include "core/program.h"
#include "search/evaluator.h"
#include "search/result.h"
#include "search/space.h"
#include "task/example.h"

namespace polar::search {

enum class RewardKind {
  kDense,   ///< 1 if correct, else 0.5 · exp(answer_log_prob / answer_tokens): orders the search before the first hit
  kBinary,  ///< 1 if correct, else 0
};

/// The formula above, in [0, 0.5] ∪ {1}.
double reward(const Outcome& outcome, RewardKind kind);

struct MctsOptions {
  int rollouts = 200;              ///< budget: trials per example, the identity included; ≥ 1
  int leaves_per_round = 8;        ///< trials selected before their outcomes are known; ≥ 1. Changes results: a setting
  double exploration = 0.7;        ///< c of the score; ≥ 0
  double length_penalty = 0.02;    ///< λ of the score, against rewards in [0, 1]; ≥ 0
  double widening_factor = 4;      ///< a of the widening; > 0
  double widening_exponent = 0.7;  ///< e of the widening; 0 … 1
  RewardKind reward = RewardKind::kDense;
  int stop_after_valid = 0;  ///< end after the round that brings this many valid programs; 0 = use the whole budget

  /// Throws UsageError naming the option, what was expected and found.
  void check() const;
  /// Every setting, for digests: equal text, equal search.
  std::string text() const;
};

/// score(child) = W/n + c·sqrt(ln n_parent / n) − λ·K/D, with W the summed reward and n the visits of the child's
/// subtree.
double child_score(double reward_sum, int visits, int parent_visits, double depth_ratio, const MctsOptions& options);

/// Children a node of n ≥ 1 visits may have: max(1, ceil(a·n^e)).
int widened_children(int visits, const MctsOptions& options);

/// The tree of one example. A node is a program, an action one more edit of the space; a program stands in a tree once.
///
/// One leaf is selected so:
///   1. The root (identity) comes first of all.
///   2. At a node that may be wider, the next candidate edit that gives a program not yet in the tree becomes a child
///   and
///      is the leaf. Candidates come in one shuffle per example; those that give nothing new cost nothing.
///   3. Otherwise descend to the child of highest score; ties go to the smaller program.
///   4. A node below which nothing is left to try is closed; a node with closed children only is widened beyond its
///   share.
/// Every node on the way gets its visit at once and its reward when backed up (a virtual visit), so that the leaves of
/// a round differ.
///
/// A pure function of example id, space, options, seed and outcomes. Not thread-safe. `space` must outlive it.
class TreeSearch {
 public:
  /// The shuffle is seeded by derive_seed(root_seed, "search", example). Throws UsageError for bad options.
  TreeSearch(task::ExampleId example, const SearchSpace& space, const MctsOptions& options, std::uint64_t root_seed);

  /// The trials of the next round: at most leaves_per_round, never beyond the budget. Empty when the search has ended
  /// (budget, stop rule or space). The outcomes must be backed up before the next call.
  std::vector<Trial> select();

  /// Outcomes of the selected trials, in their order, as evaluate_checked() gives them.
  void backup(std::span<const Outcome> outcomes);

  const task::ExampleId& example() const { return example_; }
  /// Rounds backed up so far; the round being selected has this number.
  int round() const { return round_; }
  int valid_count() const { return valid_count_; }
  const std::vector<RecordedTrial>& trials() const { return trials_; }

  /// A node as the tree sees it, for tests and inspection; visits = 0 when the program is not in the tree.
  struct NodeStatistics {
    int visits = 0;
    double reward_sum = 0;
  };
  NodeStatistics statistics(const core::Program& program) const;

  /// Moves the result out; the search must not be used afterwards.
  SearchResult take_result();

 private:
  struct Node {
    explicit Node(EditedProgram made, int under = -1) : edited(std::move(made)), parent(under) {}
    EditedProgram edited;
    int parent;
    int visits = 0;
    double reward_sum = 0;
    int children_made = 0;           ///< closed ones included
    std::size_t next_candidate = 0;  ///< in candidates_
    std::vector<int> open_children;
  };
  int select_leaf();
  int make_child(int node);
  int best_open_child(int node) const;
  void close(int node);

  task::ExampleId example_;
  const SearchSpace& space_;
  MctsOptions options_;
  std::vector<core::Edit> candidates_;
  std::vector<Node> nodes_;  ///< 0 = root
  std::unordered_set<core::Program> known_;
  std::vector<int> pending_;  ///< leaves selected and not yet backed up
  std::vector<RecordedTrial> trials_;
  int selected_ = 0;
  int round_ = 0;
  int valid_count_ = 0;
  bool root_closed_ = false;
};

}  // namespace polar::search
