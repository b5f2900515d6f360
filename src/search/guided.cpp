#include "search/guided.h"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace polar::search {

namespace {

/// Where margin and verdict disagree (another form of the answer was accepted, or the draft was no greedy one), the
/// verdict decides the sign.
double signed_margin(const Outcome& outcome) {
  constexpr double kLeast = 0.25;
  return outcome.correct ? std::max(outcome.margin, kLeast) : std::min(outcome.margin, -kLeast);
}

AdditiveModel::Features features_of(const AdditiveModel& model, const SearchSpace& space, const EditedProgram& edited) {
  AdditiveModel::Features all = AdditiveModel::intercept();
  EditedProgram made = space.identity();
  for (const core::Edit& edit : edited.edits) {
    const auto block =
        made.program.layers().subspan(static_cast<std::size_t>(edit.first), static_cast<std::size_t>(edit.length));
    const AdditiveModel::Features features = model.features(block, edit);
    all.insert(all.end(), features.begin(), features.end());
    if (space.options().form == EditForm::kNested) made.program = core::apply_edit_to_steps(made.program, edit);
  }
  return all;
}

}  // namespace

GuidedSearch::GuidedSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                           std::uint64_t root_seed)
    : Search(std::move(example), space, options),
      random_(core::derive_seed(root_seed, "guided search", this->example())),
      model_(space.options().first_layer, space.options().end_layer, options),
      identity_(core::Program::identity(space.depth())) {}

std::optional<EditedProgram> GuidedSearch::next() {
  const AdditiveModel::Weights weights = model_.draw(random_);  // 1
  const Goal goal = next_goal();
  if (auto best = best_extension(weights, goal)) return best;
  const Goal any{space().max_layers(), false};
  if (goal.shortest || goal.most_layers < any.most_layers) {
    if (auto best = best_extension(weights, any)) return best;
  }
  return next_in_order();
}

std::optional<EditedProgram> GuidedSearch::best_extension(const AdditiveModel::Weights& weights,
                                                          const Goal& goal) const {
  const bool nested = space().options().form == EditForm::kNested;
  const std::vector<Rated> rated = rate(identity_.layers(), weights);
  std::optional<Proposal> best;
  const Tried unknown{space().identity(), weights[0]};
  extend(tried_.empty() ? unknown : tried_[0], rated, goal, best);  // 2
  for (std::size_t i = 0; i < by_margin_.size() && i < kStarts; ++i) {
    const Tried& start = tried_[static_cast<std::size_t>(by_margin_[i])];
    if (start.edited.edits.empty()) continue;
    extend(start, nested ? rate(start.edited.program.layers(), weights) : rated, goal, best);
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
void GuidedSearch::extend(const Tried& start, std::span<const Rated> rated, const Goal& goal,
                          std::optional<Proposal>& best) const {
  std::vector<bool> proposed(static_cast<std::size_t>(goal.most_layers) + 1, false);
  for (const Rated& one : rated) {
    const core::Edit& edit = space().candidates()[one.candidate];
    const int layers = start.edited.program.length() + edit.length * edit.extra_runs;
    if (layers < space().min_layers() || layers > goal.most_layers || proposed[static_cast<std::size_t>(layers)])
      continue;
    auto child = space().extend(start.edited, edit);
    if (!child || child->program.length() > goal.most_layers || known(child->program)) continue;
    Proposal made{*std::move(child), start.margin + one.effect};
    if (!best || better(made, *best, goal)) best = std::move(made);
    if (!goal.shortest) return;
    proposed[static_cast<std::size_t>(layers)] = true;
  }
}

/// The edits of a program's steps (the identity's, unless edits are nested), best first.
std::vector<GuidedSearch::Rated> GuidedSearch::rate(std::span<const core::Program::Layer> steps,
                                                    const AdditiveModel::Weights& weights) const {
  const SpaceOptions& bounds = space().options();
  std::vector<Rated> rated;
  const std::vector<core::Edit>& candidates = space().candidates();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const core::Edit& edit = candidates[i];
    if (static_cast<std::size_t>(edit.last()) >= steps.size()) continue;
    const auto block = steps.subspan(static_cast<std::size_t>(edit.first), static_cast<std::size_t>(edit.length));
    if (std::ranges::any_of(block, [&](int layer) { return layer < bounds.first_layer || layer >= bounds.end_layer; }))
      continue;
    rated.push_back({model_.effect(block, edit, weights), i});
  }
  std::ranges::sort(rated, [](const Rated& a, const Rated& b) {
    return std::tie(b.effect, a.candidate) < std::tie(a.effect, b.candidate);
  });
  return rated;
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
  model_.observe(features_of(model_, space(), tried), static_cast<int>(tried.edits.size()), margin);
  const int index = static_cast<int>(tried_.size());
  tried_.push_back({tried, margin});
  const auto place = std::ranges::upper_bound(by_margin_, margin, std::greater<>(),
                                              [&](int i) { return tried_[static_cast<std::size_t>(i)].margin; });
  by_margin_.insert(place, index);
}

}  // namespace polar::search
