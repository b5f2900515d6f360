#include "search/evolve.h"

#include <algorithm>
#include <utility>

namespace polar::search {

EvolveSearch::EvolveSearch(task::ExampleId example, const SearchSpace& space, const SearchOptions& options,
                           std::uint64_t root_seed)
    : Search(std::move(example), space, options), random_(core::derive_seed(root_seed, "evolution", this->example())) {}

std::optional<EditedProgram> EvolveSearch::next() {
  const EditedProgram identity = space().identity();
  for (int draw = 0; draw < kMostDraws; ++draw) {
    std::optional<EditedProgram> child;
    if (members_.empty()) {
      child = mutated(identity);
    } else if (random_.uniform() < 0.5) {
      child = mutated(parent());
    } else {
      const EditedProgram& a = parent();
      child = crossed(a, parent());
    }
    if (child && !known(child->program)) return child;
  }
  for (Member& member : members_) {
    while (member.next_candidate < space().candidates().size()) {
      auto child = space().extend(member.edited, space().candidates()[member.next_candidate++]);
      if (child && !known(child->program)) return child;
    }
  }
  return std::nullopt;
}

const EditedProgram& EvolveSearch::parent() {
  const std::size_t elite = std::min(static_cast<std::size_t>(options().elite), members_.size());
  return members_[random_.below(elite)].edited;
}

core::Edit EvolveSearch::random_edit() {
  return space().candidates()[random_.below(space().candidates().size())];
}

std::optional<EditedProgram> EvolveSearch::mutated(const EditedProgram& from) {
  const std::uint64_t kind = from.edits.empty() ? 0 : random_.below(3);
  if (kind == 0) return space().extend(from, random_edit());
  auto rest = space().without(from, random_.below(from.edits.size()));
  if (!rest || kind == 1) return rest;
  return space().extend(*rest, random_edit());
}

std::optional<EditedProgram> EvolveSearch::crossed(const EditedProgram& a, const EditedProgram& b) {
  std::vector<core::Edit> edits;
  for (const EditedProgram* from : {&a, &b}) {
    for (const core::Edit& edit : from->edits) {
      if (random_.uniform() < 0.5) edits.push_back(edit);
    }
  }
  random_.shuffle(edits);
  EditedProgram child = space().identity();
  for (const core::Edit& edit : edits) {
    if (auto larger = space().extend(child, edit)) child = *std::move(larger);
  }
  return child;
}

void EvolveSearch::learn(const EditedProgram& tried, const Outcome& outcome) {
  Member member{tried, value(tried.program, outcome)};
  const auto place = std::ranges::upper_bound(members_, member, [](const Member& a, const Member& b) {
    return a.value != b.value ? a.value > b.value : a.edited.program < b.edited.program;
  });
  members_.insert(place, std::move(member));
}

}  // namespace polar::search
