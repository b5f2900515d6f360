#include "search/chain.h"

#include <cmath>
#include <unordered_set>
#include <utility>

namespace polar::search {

namespace {

constexpr int kNoNode = -1;

}  // namespace

double chain_score(double reward_sum, int visits, int parent_visits, double depth_ratio, const SearchOptions& options) {
  const double counted = options.log_visits_plus_one ? parent_visits + 1.0 : parent_visits;
  return reward_sum / visits + options.exploration * std::sqrt(std::log(counted) / visits) -
         options.length_penalty * depth_ratio;
}

ChainSearch::ChainSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                         std::uint64_t root_seed)
    : Search(std::move(example), space, options),
      random_(core::derive_seed(root_seed, "chain search", this->example())) {
  nodes_.push_back({.edited = space.identity()});
}

std::optional<EditedProgram> ChainSearch::next() {
  for (int repeats = 0; repeats < kMostRepeats; ++repeats) {
    int node = descend();                                                      // 1
    expand(node);                                                              // 2
    if (const int child = random_child(node); child != kNoNode) node = child;  // 3
    const core::Program& program = nodes_[node].edited.program;
    if (!known(program)) {
      waiting_.emplace(program, node);
      return nodes_[node].edited;
    }
    const auto tried = rewards_.find(program);
    back_up(node, tried == rewards_.end() ? 0 : tried->second);  // 4; one under way has no reward yet
  }
  if (!space().counted() || selected() < space().count()) give_up();
  return std::nullopt;
}

int ChainSearch::descend() {
  int node = 0;
  while (nodes_[node].expanded) {
    int child = random_.uniform() < options().random_child ? random_child(node) : best_child(node);
    if (child == kNoNode) child = random_child(node);
    if (child == kNoNode) break;
    node = child;
  }
  return node;
}

int ChainSearch::best_child(int node) const {
  int best = kNoNode;
  double best_score = 0;
  for (const int index : nodes_[node].visited) {
    const Node& child = nodes_[index];
    if (child.visits == 0) continue;  // under way
    const double score = chain_score(child.reward_sum, child.visits, nodes_[node].visits,
                                     child.edited.program.depth_ratio(space().depth()), options());
    if (best == kNoNode || score > best_score) {
      best = index;
      best_score = score;
    }
  }
  return best;
}

int ChainSearch::random_child(int node) {
  const std::size_t visited = nodes_[node].visited.size(), untried = nodes_[node].untried.size();
  if (visited + untried == 0) return kNoNode;
  const std::size_t drawn = random_.below(visited + untried);
  return drawn < visited ? nodes_[node].visited[drawn] : take_untried(node, drawn - visited);
}

int ChainSearch::take_untried(int node, std::size_t index) {
  std::vector<core::Edit>& untried = nodes_[node].untried;
  EditedProgram edited = space().extend(nodes_[node].edited, untried[index]).value();
  untried.erase(untried.begin() + static_cast<std::ptrdiff_t>(index));
  const int child = static_cast<int>(nodes_.size());
  nodes_[node].visited.push_back(child);
  nodes_.push_back({.edited = std::move(edited), .parent = node});
  return child;
}

void ChainSearch::expand(int node) {
  if (nodes_[node].expanded) return;
  nodes_[node].expanded = true;
  std::unordered_set<core::Program> programs;
  for (const core::Edit& edit : space().candidates()) {
    const auto child = space().extend(nodes_[node].edited, edit);
    if (child && programs.insert(child->program).second) nodes_[node].untried.push_back(edit);
  }
}

void ChainSearch::back_up(int node, double gained) {
  for (; node != kNoNode; node = nodes_[node].parent) {
    ++nodes_[node].visits;
    nodes_[node].reward_sum += gained;
  }
}

void ChainSearch::learn(const EditedProgram& tried, const Outcome& outcome) {
  const double gained = reward(outcome, options().reward);
  rewards_.emplace(tried.program, gained);
  if (tried.program == nodes_[0].edited.program) back_up(0, gained);
  const auto waiting = waiting_.find(tried.program);
  if (waiting == waiting_.end()) return;
  back_up(waiting->second, gained);
  waiting_.erase(waiting);
}

}  // namespace polar::search
