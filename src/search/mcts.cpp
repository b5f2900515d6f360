#include "search/mcts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "search/require.h"

namespace polar::search {

namespace {

constexpr int kNone = -1;

}  // namespace

double reward(const Outcome& outcome, RewardKind kind) {
  if (outcome.correct) return 1;
  if (kind == RewardKind::kBinary) return 0;
  return 0.5 * std::exp(std::min(0.0, outcome.answer_log_prob / outcome.answer_tokens));
}

void MctsOptions::check() const {
  const Require require{"search"};
  require(rollouts >= 1, "rollouts", "at least 1", rollouts);
  require(leaves_per_round >= 1, "leaves_per_round", "at least 1", leaves_per_round);
  require(std::isfinite(exploration) && exploration >= 0, "exploration", "a number ≥ 0", exploration);
  require(std::isfinite(length_penalty) && length_penalty >= 0, "length_penalty", "a number ≥ 0", length_penalty);
  require(std::isfinite(widening_factor) && widening_factor > 0, "widening_factor", "a number > 0", widening_factor);
  require(widening_exponent >= 0 && widening_exponent <= 1, "widening_exponent", "0 … 1", widening_exponent);
  require(stop_after_valid >= 0, "stop_after_valid", "at least 0 (0 = use the whole budget)", stop_after_valid);
}

std::string MctsOptions::text() const {
  return fmt::format(
      "mcts rollouts={} leaves_per_round={} exploration={} length_penalty={} widening_factor={} widening_exponent={} "
      "reward={} "
      "stop_after_valid={}",
      rollouts, leaves_per_round, exploration, length_penalty, widening_factor, widening_exponent,
      reward == RewardKind::kDense ? "dense" : "binary", stop_after_valid);
}

double child_score(double reward_sum, int visits, int parent_visits, double depth_ratio, const MctsOptions& options) {
  return reward_sum / visits + options.exploration * std::sqrt(std::log(parent_visits) / visits) -
         options.length_penalty * depth_ratio;
}

int widened_children(int visits, const MctsOptions& options) {
  const double share = std::ceil(options.widening_factor * std::pow(visits, options.widening_exponent));
  return static_cast<int>(std::clamp(share, 1.0, 1e9));
}

TreeSearch::TreeSearch(task::ExampleId example, const SearchSpace& space, const MctsOptions& options,
                       std::uint64_t root_seed)
    : example_(std::move(example)), space_(space), options_(options), candidates_(space.candidates()) {
  options_.check();
  core::Random random(core::derive_seed(root_seed, "search", example_));
  random.shuffle(candidates_);
  nodes_.emplace_back(space_.identity());
  known_.insert(nodes_[0].edited.program);
}

std::vector<Trial> TreeSearch::select() {
  assert(pending_.empty() && "backup() the last round first");
  std::vector<Trial> trials;
  if (options_.stop_after_valid > 0 && valid_count_ >= options_.stop_after_valid) return trials;
  while (static_cast<int>(trials.size()) < options_.leaves_per_round && selected_ < options_.rollouts) {
    const int leaf = select_leaf();
    if (leaf == kNone) break;
    for (int node = leaf; node != kNone; node = nodes_[node].parent) ++nodes_[node].visits;
    pending_.push_back(leaf);
    ++selected_;
    trials.push_back({example_, nodes_[leaf].edited.program, {}});
  }
  return trials;
}

// Steps 1 to 4 of the class comment; kNone when nothing is left to try.
int TreeSearch::select_leaf() {
  if (root_closed_) return kNone;
  int node = 0;
  if (nodes_[node].visits == 0) return node;  // 1
  for (;;) {
    if (nodes_[node].children_made < widened_children(nodes_[node].visits, options_)) {  // 2
      if (const int child = make_child(node); child != kNone) return child;
    }
    int next = best_open_child(node);  // 3
    if (next == kNone) {               // 4
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
    auto edited = space_.extend(nodes_[node].edited, edit);
    if (!edited || !known_.insert(edited->program).second) continue;
    const int child = static_cast<int>(nodes_.size());
    nodes_.emplace_back(*std::move(edited), node);
    nodes_[node].open_children.push_back(child);
    ++nodes_[node].children_made;
    return child;
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
                                     child.edited.program.depth_ratio(space_.depth()), options_);
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

void TreeSearch::backup(std::span<const Outcome> outcomes) {
  assert(outcomes.size() == pending_.size() && "one outcome per selected trial");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const core::Program& program = nodes_[pending_[i]].edited.program;
    const double gained = reward(outcomes[i], options_.reward);
    assert(!std::isnan(gained) && "outcomes come from evaluate_checked()");
    for (int node = pending_[i]; node != kNone; node = nodes_[node].parent) nodes_[node].reward_sum += gained;
    if (outcomes[i].correct) ++valid_count_;
    trials_.push_back({program, outcomes[i], round_});
  }
  pending_.clear();
  ++round_;
}

TreeSearch::NodeStatistics TreeSearch::statistics(const core::Program& program) const {
  for (const Node& node : nodes_) {
    if (node.edited.program == program) return {node.visits, node.reward_sum};
  }
  return {};
}

SearchResult TreeSearch::take_result() {
  SearchResult result{std::move(example_), std::move(trials_), {}, root_closed_};
  for (std::size_t i = 0; i < result.trials.size(); ++i) {
    if (result.trials[i].outcome.correct) result.valid.push_back(i);
  }
  std::sort(result.valid.begin(), result.valid.end(),
            [&](std::size_t a, std::size_t b) { return more_optimal(result.trials[a], result.trials[b]); });
  return result;
}

}  // namespace polar::search
