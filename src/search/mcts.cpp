#include "search/mcts.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/seed.h"

namespace polar::search {

namespace {

constexpr int kNone = -1;

}  // namespace

double child_score(double reward_sum, int visits, int parent_visits, double depth_ratio, const SearchOptions& options) {
  return reward_sum / visits + options.exploration * std::sqrt(std::log(parent_visits) / visits) -
         options.length_penalty * depth_ratio;
}

int widened_children(int visits, const SearchOptions& options) {
  const double share = std::ceil(options.widening_factor * std::pow(visits, options.widening_exponent));
  return static_cast<int>(std::clamp(share, 1.0, 1e9));
}

TreeSearch::TreeSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                       std::uint64_t root_seed)
    : Search(std::move(example), space, options), candidates_(space.candidates()) {
  core::Random random(core::derive_seed(root_seed, "search", this->example()));
  random.shuffle(candidates_);
  visit(add_node(space.identity(), kNone));  // every search begins with it
}

int TreeSearch::add_node(EditedProgram program, int parent) {
  const int node = static_cast<int>(nodes_.size());
  node_of_.emplace(program.program, node);
  nodes_.emplace_back(std::move(program), parent);
  if (parent != kNone) {
    nodes_[parent].open_children.push_back(node);
    ++nodes_[parent].children_made;
  }
  return node;
}

void TreeSearch::visit(int leaf) {
  for (int node = leaf; node != kNone; node = nodes_[node].parent) ++nodes_[node].visits;
}

std::optional<EditedProgram> TreeSearch::next() {
  const int leaf = select_leaf();
  if (leaf == kNone) return std::nullopt;
  visit(leaf);
  return nodes_[leaf].edited;
}

// Steps 1 to 3 of the class comment; kNone when nothing is left to try.
int TreeSearch::select_leaf() {
  if (root_closed_) return kNone;
  int node = 0;
  for (;;) {
    if (nodes_[node].children_made < widened_children(nodes_[node].visits, options())) {  // 1
      if (const int child = make_child(node); child != kNone) return child;
    }
    int next = best_open_child(node);  // 2
    if (next == kNone) {               // 3
      if (const int child = make_child(node); child != kNone) return child;
      close(node);
      if (root_closed_) return kNone;
      next = nodes_[node].parent;
    }
    node = next;
  }
}

int TreeSearch::make_child(int node) {
  while (nodes_[node].next_candidate < candidates_.size()) {
    const core::Edit& edit = candidates_[nodes_[node].next_candidate++];
    auto edited = space().extend(nodes_[node].edited, edit);
    if (edited && !known(edited->program)) return add_node(*std::move(edited), node);
  }
  return kNone;
}

int TreeSearch::best_open_child(int node) const {
  int best = kNone;
  double best_score = 0;
  const Node& parent = nodes_[node];
  for (const int index : parent.open_children) {
    const Node& child = nodes_[index];
    const double score = child_score(child.reward_sum, child.visits, parent.visits,
                                     child.edited.program.depth_ratio(space().depth()), options());
    if (best == kNone || score > best_score ||
        (score == best_score && child.edited.program < nodes_[best].edited.program)) {
      best = index;
      best_score = score;
    }
  }
  return best;
}

void TreeSearch::close(int node) {
  const int parent = nodes_[node].parent;
  if (parent == kNone) {
    root_closed_ = true;
    return;
  }
  std::erase(nodes_[parent].open_children, node);
}

void TreeSearch::learn(const EditedProgram& tried, const Outcome& outcome) {
  const auto found = node_of_.find(tried.program);
  int node = 0;
  if (found != node_of_.end()) {
    node = found->second;
  } else {
    node = add_node(tried, 0);
    visit(node);
    root_closed_ = false;
  }
  const double gained = reward(outcome, options().reward);
  assert(!std::isnan(gained) && "outcomes come from evaluate_checked()");
  for (; node != kNone; node = nodes_[node].parent) nodes_[node].reward_sum += gained;
}

TreeSearch::NodeStatistics TreeSearch::statistics(const core::Program& program) const {
  const auto found = node_of_.find(program);
  if (found == node_of_.end()) return {};
  return {nodes_[found->second].visits, nodes_[found->second].reward_sum};
}

}  // namespace polar::search
