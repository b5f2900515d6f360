// SearchSpace: how many programs there are, which, and a random one of them.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "search/overlapping_programs.h"
#include "search/space.h"

namespace polar::search {

/// Where a program under construction stands: all layers below `layer` are decided. `block` is the length of the skip
/// block that ends there (0 = the layer before runs) and `edits` the edits so far; both stay 0 when the number of edits
/// has no limit.
struct SearchSpace::State {
  int layer = 0;
  int block = 0;
  int edits = 0;
  int steps_left = 0;
};

/// One way to go on: `runs` times the layers from the state's to next.layer − 1.
struct SearchSpace::Choice {
  int runs = 1;
  State next;
};

/// Appends the steps of a choice made at `state`.
void SearchSpace::append(std::vector<core::Program::Layer>& steps, const State& state, const Choice& choice) {
  for (int run = 0; run < choice.runs; ++run) {
    for (int layer = state.layer; layer < choice.next.layer; ++layer)
      steps.push_back(static_cast<core::Program::Layer>(layer));
  }
}

std::size_t SearchSpace::cell(const State& state) const {
  const std::size_t blocks = options_.max_edits > 0 ? options_.max_block + 1 : 1;
  std::size_t index = state.layer;
  index = index * blocks + state.block;
  index = index * (options_.max_edits + 1) + state.edits;
  return index * (max_layers_ + 1) + state.steps_left;
}

std::vector<SearchSpace::Choice> SearchSpace::choices(const State& state) const {
  std::vector<Choice> result;
  const bool limited = options_.max_edits > 0;
  const auto offer = [&](int length, int runs, int block, int edits) {
    const int steps_left = state.steps_left - length * runs;
    if (steps_left < 0 || (limited && edits > options_.max_edits)) return;
    result.push_back({runs, {state.layer + length, limited ? block : 0, limited ? edits : 0, steps_left}});
  };
  offer(1, 1, 0, state.edits);
  if (state.layer < options_.first_layer || state.layer >= options_.end_layer) return result;
  if (options_.allow_skip) {
    const bool same_block = state.block > 0 && state.block < options_.max_block;
    offer(1, 0, same_block ? state.block + 1 : 1, same_block ? state.edits : state.edits + 1);
  }
  for (int length = 1; length <= repeated_block() && state.layer + length <= options_.end_layer; ++length) {
    for (int extra = 1; options_.allow_repeat && extra <= options_.max_extra_runs; ++extra) {
      offer(length, 1 + extra, 0, state.edits + 1);
    }
  }
  return result;
}

// Dynamic programming from the last layer back: a program of the space is exactly one path of choices, since repeated
// blocks and the set of skipped layers can be read off the layer sequence.
void SearchSpace::count_completions() {
  const int blocks = options_.max_edits > 0 ? options_.max_block : 0;
  completions_.assign(cell({options_.depth, blocks, options_.max_edits, max_layers_}) + 1, 0.0);
  for (int layer = options_.depth; layer >= 0; --layer) {
    for (int block = 0; block <= blocks; ++block) {
      for (int edits = 0; edits <= options_.max_edits; ++edits) {
        for (int steps_left = 0; steps_left <= max_layers_; ++steps_left) {
          const State state{layer, block, edits, steps_left};
          double& ways = completions_[cell(state)];
          if (layer == options_.depth) {
            ways = steps_left == 0 ? 1 : 0;
            continue;
          }
          for (const Choice& choice : choices(state)) ways += completions_[cell(choice.next)];
        }
      }
    }
  }
}

// Other forms
// -------------------------------------------------------------------------------------------

struct SearchSpace::Automaton {
  std::once_flag once;
  std::optional<OverlappingPrograms> programs;
};

std::shared_ptr<SearchSpace::Automaton> SearchSpace::no_automaton_yet() {
  return std::make_shared<Automaton>();
}

const OverlappingPrograms& SearchSpace::automaton() const {
  std::call_once(automaton_->once, [this] { automaton_->programs.emplace(options_, repeated_block(), max_layers_); });
  return *automaton_->programs;
}

const OverlappingPrograms* SearchSpace::counting_automaton() const {
  const bool counts = options_.form == EditForm::kOverlapping && options_.max_layer_runs == 0;
  return counts ? &automaton() : nullptr;
}

const SearchSpace::Enumeration& SearchSpace::enumeration() const {
  std::call_once(enumeration_->once, [this] {
    if (options_.form == EditForm::kOverlapping) list_overlapping(*enumeration_);
    if (options_.form == EditForm::kNested) enumerate_steps(*enumeration_);
    std::ranges::sort(enumeration_->programs, {}, &EditedProgram::program);
  });
  return *enumeration_;
}

bool SearchSpace::counted() const {
  if (options_.form == EditForm::kDisjoint) return true;
  const OverlappingPrograms* programs = counting_automaton();
  return programs ? programs->counted() : enumeration().complete;
}

// The automaton knows no max_layer_runs: programs beyond it are passed over, and their number is bounded too.
void SearchSpace::list_overlapping(Enumeration& found) const {
  constexpr std::size_t kMostSeen = 8 * kMostEnumerated;
  std::size_t seen = 0;
  found.complete = automaton().counted();
  for (int layers = min_layers_; layers <= max_layers_ && found.complete; ++layers) {
    automaton().each(layers, [&](core::Program&& program) {
      if (runs_allowed(program)) found.programs.push_back(find(program).value());
      found.complete = ++seen < kMostSeen && found.programs.size() <= kMostEnumerated;
      return found.complete;
    });
  }
}

// Breadth first: a program is first met with the fewest edits.
void SearchSpace::enumerate_steps(Enumeration& found) const {
  std::unordered_set<core::Program> known{identity().program};
  found.programs.push_back(identity());
  for (std::size_t i = 0; i < found.programs.size() && found.complete; ++i) {
    for (const core::Edit& edit : candidates_) {
      auto child = extend_steps(found.programs[i], edit);
      if (child && known.insert(child->program).second) found.programs.push_back(*std::move(child));
      found.complete = found.programs.size() <= kMostEnumerated;
      if (!found.complete) break;
    }
  }
}

std::optional<std::vector<EditedProgram>> SearchSpace::enumerate(std::size_t most) const {
  if (!counted() || count() > static_cast<double>(most)) return std::nullopt;
  std::vector<EditedProgram> found;
  for (int layers = min_layers_; layers <= max_layers_; ++layers) {
    std::vector<core::Program::Layer> steps;
    if (options_.form == EditForm::kDisjoint) complete({0, 0, 0, layers}, steps, found);
  }
  if (const OverlappingPrograms* programs = counting_automaton()) {
    for (int layers = min_layers_; layers <= max_layers_; ++layers) {
      programs->each(layers, [&](core::Program&& program) {
        found.push_back(find(program).value());
        return true;
      });
    }
  } else if (options_.form != EditForm::kDisjoint) {
    found = enumeration().programs;
  }
  std::ranges::sort(found, [](const EditedProgram& a, const EditedProgram& b) {
    return std::forward_as_tuple(a.edits.size(), a.program) < std::forward_as_tuple(b.edits.size(), b.program);
  });
  return found;
}

void SearchSpace::complete(const State& state, std::vector<core::Program::Layer>& steps,
                           std::vector<EditedProgram>& found) const {
  if (completions_[cell(state)] == 0) return;
  if (state.layer == options_.depth) {
    found.push_back(find_disjoint(core::Program(steps)).value());
    return;
  }
  const std::size_t before = steps.size();
  for (const Choice& choice : choices(state)) {
    append(steps, state, choice);
    complete(choice.next, steps, found);
    steps.resize(before);
  }
}

double SearchSpace::count(int layers) const {
  if (layers < min_layers_ || layers > max_layers_) return 0;
  if (options_.form == EditForm::kDisjoint) return completions_[cell({0, 0, 0, layers})];
  if (const OverlappingPrograms* programs = counting_automaton()) return programs->count(layers);
  return static_cast<double>(enumerated(layers).size());
}

double SearchSpace::count() const {
  double sum = 0;
  for (int layers = min_layers_; layers <= max_layers_; ++layers) sum += count(layers);
  return sum;
}

std::span<const EditedProgram> SearchSpace::enumerated(int layers) const {
  const auto length = [](const EditedProgram& edited) { return edited.program.length(); };
  const auto [first, end] = std::ranges::equal_range(enumeration().programs, layers, {}, length);
  return {first, end};
}

std::string SearchSpace::describe() const {
  const double number = count();
  const std::string size = counted() && number < 1e15 ? fmt::format("{}", static_cast<std::int64_t>(number))
                           : counted()                ? fmt::format("about {:.2g}", number)
                           : number > 0 ? fmt::format("more than {}", static_cast<std::int64_t>(number) - 1)
                                        : "an unknown number of";
  return fmt::format("{} programs of {} to {} layers, {} edits{}", size, min_layers_, max_layers_,
                     to_string(options_.form),
                     options_.max_edits > 0 ? fmt::format(", at most {} each", options_.max_edits) : "");
}

core::Program SearchSpace::random_program(int layers, core::Random& random) const {
  if (count(layers) == 0) {
    throw core::UsageError(
        fmt::format("search space: no program of {} layer executions: expected a length from {} to {}", layers,
                    min_layers_, max_layers_));
  }
  if (const OverlappingPrograms* programs = counting_automaton()) return programs->random(layers, random);
  if (options_.form != EditForm::kDisjoint) {
    const auto programs = enumerated(layers);
    return programs[random.below(programs.size())].program;
  }
  std::vector<core::Program::Layer> steps;
  State state{0, 0, 0, layers};
  while (state.layer < options_.depth) {
    double draw = random.uniform() * completions_[cell(state)];
    Choice taken;
    for (const Choice& choice : choices(state)) {
      const double ways = completions_[cell(choice.next)];
      if (ways == 0) continue;
      taken = choice;  // the last possible one stands when rounding leaves a rest of `draw`
      draw -= ways;
      if (draw < 0) break;
    }
    append(steps, state, taken);
    state = taken.next;
  }
  return core::Program(std::move(steps));
}

}  // namespace polar::search
