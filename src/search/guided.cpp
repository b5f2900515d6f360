#include "search/guided.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace polar::search {

namespace {

/// Where margin and verdict disagree (another form of the answer was accepted, or the draft was no greedy one), the
/// verdict decides the sign.
double signed_margin(const Outcome& outcome) {
  constexpr double kLeast = 0.25;
  return outcome.correct ? std::max(outcome.margin, kLeast) : std::min(outcome.margin, -kLeast);
}

}  // namespace

GuidedSearch::GuidedSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                           std::uint64_t root_seed)
    : Search(std::move(example), space, options),
      random_(core::derive_seed(root_seed, "guided search", this->example())),
      model_(space.candidates(), options) {}

std::optional<EditedProgram> GuidedSearch::next() {
  const std::vector<double> drawn = model_.draw(random_);  // 1
  const Goal goal = next_goal();
  if (auto best = best_extension(drawn, goal)) return best;
  const Goal any{space().max_layers(), false};
  if (goal.shortest || goal.most_layers < any.most_layers) {
    if (auto best = best_extension(drawn, any)) return best;
  }
  return next_in_order();
}

std::optional<EditedProgram> GuidedSearch::best_extension(std::span<const double> drawn, const Goal& goal) const {
  std::vector<std::size_t> order(drawn.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t candidate) { return drawn[candidate]; });
  std::optional<Proposal> best;
  extend(space().identity(), drawn, order, goal, best);  // 2
  for (std::size_t i = 0; i < by_margin_.size() && i < kStarts; ++i) {
    const EditedProgram& start = tried_[by_margin_[i]].edited;
    if (!start.edits.empty()) extend(start, drawn, order, goal, best);
  }
  if (!best) return std::nullopt;
  return std::move(best->edited);  // 3
}

GuidedSearch::Goal GuidedSearch::next_goal() {
  const Goal any{space().max_layers(), false};
  ++turn_;
  if (!shortest_valid()) return any;
  // Of programs that cannot be shortened any more, the largest margin is the best.
  const Goal shorter =
      *shortest_valid() > space().min_layers() ? Goal{*shortest_valid() - 1, true} : Goal{space().min_layers(), false};
  switch (options().objective) {
    case Objective::kFirstValid:
      return any;
    case Objective::kShortest:
      return shorter;
    case Objective::kBest:
      return turn_ % 2 == 0 ? any : shorter;
    case Objective::kPareto:
      return {space().min_layers() + static_cast<int>(random_.below(
                                         static_cast<std::uint64_t>(space().max_layers() - space().min_layers() + 1))),
              false};
  }
  return any;
}

bool GuidedSearch::better(const Proposal& a, const Proposal& b, const Goal& goal) const {
  const int a_layers = a.edited.program.length(), b_layers = b.edited.program.length();
  if (goal.shortest) {
    if ((a.margin > 0) != (b.margin > 0)) return a.margin > 0;
    if (a.margin > 0 && a_layers != b_layers) return a_layers < b_layers;
  }
  const double price = options().length_penalty / space().depth();
  const double a_value = a.margin - price * a_layers, b_value = b.margin - price * b_layers;
  return a_value != b_value ? a_value > b_value : a.edited.program < b.edited.program;
}

/// Proposes the best untried extension; where the shortest is wanted, the best of each number of layers.
void GuidedSearch::extend(const EditedProgram& start, std::span<const double> drawn, std::span<const std::size_t> order,
                          const Goal& goal, std::optional<Proposal>& best) const {
  std::vector<bool> proposed(static_cast<std::size_t>(goal.most_layers) + 1, false);
  for (const std::size_t candidate : order) {
    const core::Edit& edit = space().candidates()[candidate];
    const int layers = start.program.length() + edit.length * edit.extra_runs;
    const bool fits = layers >= space().min_layers() && layers <= goal.most_layers;
    if (!fits || proposed[static_cast<std::size_t>(layers)]) continue;
    auto child = space().extend(start, edit);
    if (!child || child->program.length() > goal.most_layers || known(child->program)) continue;
    double margin = model_.intercept().mean;
    for (const core::Edit& made_of : child->edits) margin += drawn[model_.index_of(made_of)];
    Proposal made{*std::move(child), margin};
    if (!best || better(made, *best, goal)) best = std::move(made);
    if (!goal.shortest) return;
    proposed[static_cast<std::size_t>(layers)] = true;
  }
}

std::optional<EditedProgram> GuidedSearch::next_in_order() {
  for (; in_order_ < tried_.size(); ++in_order_) {
    Tried& from = tried_[in_order_];
    while (from.next_candidate < space().candidates().size()) {
      auto child = space().extend(from.edited, space().candidates()[from.next_candidate++]);
      if (child && !known(child->program)) return child;
    }
  }
  return std::nullopt;
}

void GuidedSearch::learn(const EditedProgram& tried, const Outcome& outcome) {
  const double margin = signed_margin(outcome);
  model_.observe(tried.edits, margin);
  const std::size_t index = tried_.size();
  tried_.push_back({tried, margin});
  const auto place =
      std::ranges::upper_bound(by_margin_, margin, std::greater<>(), [&](std::size_t i) { return tried_[i].margin; });
  by_margin_.insert(place, index);
}

}  // namespace polar::search
