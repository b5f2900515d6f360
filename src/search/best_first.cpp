#include "search/best_first.h"

#include <algorithm>
#include <utility>

#include "core/seed.h"

namespace polar::search {

namespace {

std::vector<core::Edit> shuffled(std::vector<core::Edit> edits, std::uint64_t seed) {
  core::Random random(seed);
  random.shuffle(edits);
  return edits;
}

}  // namespace

BestFirstSearch::BestFirstSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                                 std::uint64_t root_seed)
    : Search(std::move(example), space, options),
      candidates_(shuffled(space.candidates(), core::derive_seed(root_seed, "best-first search", this->example()))) {
  // Until its outcome is known, the identity is the only program to start from.
  open_.push_back({space.identity()});
}

std::optional<EditedProgram> BestFirstSearch::next() {
  while (!open_.empty()) {
    Open& best = open_.front();
    while (best.next_candidate < candidates_.size()) {
      auto child = space().extend(best.edited, candidates_[best.next_candidate++]);
      if (child && !known(child->program)) return child;
    }
    open_.erase(open_.begin());
  }
  return std::nullopt;
}

void BestFirstSearch::learn(const EditedProgram& tried, const Outcome& outcome) {
  const double worth = value(tried.program, outcome);
  if (!tried.edits.empty()) return insert({tried, worth});
  const auto identity = std::ranges::find(open_, tried.program, [](const Open& open) { return open.edited.program; });
  if (identity == open_.end()) return;
  Open moved = std::move(*identity);
  open_.erase(identity);
  moved.value = worth;
  insert(std::move(moved));
}

void BestFirstSearch::insert(Open open) {
  const auto place = std::ranges::upper_bound(open_, open, [](const Open& a, const Open& b) {
    return a.value != b.value ? a.value > b.value : a.edited.program < b.edited.program;
  });
  open_.insert(place, std::move(open));
}

BeamSearch::BeamSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                       std::uint64_t root_seed)
    : Search(std::move(example), space, options),
      candidates_(shuffled(space.candidates(), core::derive_seed(root_seed, "beam search", this->example()))) {
  begin_descent();
}

void BeamSearch::begin_descent() {
  level_.clear();
  beam_.clear();
  beam_.push_back({space().identity(), options().beam_width * options().beam_children, next_of_root_});
}

void BeamSearch::begin_level() {
  std::ranges::sort(level_, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second.program < b.second.program;
  });
  beam_.clear();
  for (auto& [worth, edited] : level_) {
    if (static_cast<int>(beam_.size()) == options().beam_width) break;
    beam_.push_back({std::move(edited), options().beam_children, 0});
  }
  level_.clear();
}

std::optional<EditedProgram> BeamSearch::next_child(Parent& parent) {
  while (parent.children_left > 0 && parent.next_candidate < candidates_.size()) {
    auto child = space().extend(parent.edited, candidates_[parent.next_candidate++]);
    if (parent.edited.edits.empty()) next_of_root_ = parent.next_candidate;
    if (!child || known(child->program)) continue;
    --parent.children_left;
    return child;
  }
  return std::nullopt;
}

// A level is chosen from outcomes, so it begins only when none of the one before is under way.
std::optional<EditedProgram> BeamSearch::next() {
  for (;;) {
    for (Parent& parent : beam_) {
      if (auto child = next_child(parent)) {
        of_level_.insert(child->program);
        return child;
      }
    }
    if (!of_level_.empty()) return std::nullopt;
    const bool root_is_used_up = next_of_root_ >= candidates_.size();
    if (!level_.empty()) {
      begin_level();
    } else if (!root_is_used_up) {
      begin_descent();
    } else {
      return next_in_order();
    }
  }
}

std::optional<EditedProgram> BeamSearch::next_in_order() {
  for (; in_order_ < tried_.size(); ++in_order_) {
    Tried& from = tried_[in_order_];
    while (from.next_candidate < candidates_.size()) {
      auto child = space().extend(from.edited, candidates_[from.next_candidate++]);
      if (child && !known(child->program)) return child;
    }
  }
  return std::nullopt;
}

void BeamSearch::learn(const EditedProgram& tried, const Outcome& outcome) {
  tried_.push_back({tried});
  if (of_level_.erase(tried.program) > 0) level_.emplace_back(value(tried.program, outcome), tried);
}

}  // namespace polar::search
