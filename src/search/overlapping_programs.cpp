#include "search/overlapping_programs.h"

#include <algorithm>
#include <compare>
#include <map>

namespace polar::search {
namespace {

using Layer = core::Program::Layer;

/// What a beginning of a program may stand for: all layers below `layer` are decided, and `offset` steps of the repeat
/// that ends there are read (0: all of it).
struct Reading {
  int layer = 0;
  int block = 0;  ///< length of the skip that ends before `layer`, where edits are limited; 0: the layer before runs
  /// The last repeat that ends before `layer`: a later one begins later, or there and has more extra runs.
  int first = -1;
  int extra = 0;
  int offset = 0;
  friend auto operator<=>(const Reading&, const Reading&) = default;
};

/// Readings of one beginning, with the fewest edits that each takes.
using Readings = std::map<Reading, int>;

class MoveFinder {
 public:
  MoveFinder(const SpaceOptions& options, int repeated_block)
      : options_(options), limited_(options.max_edits > 0), repeated_block_(repeated_block) {}

  /// Adds what skips alone lead to.
  void close(Readings& readings) const {
    if (!options_.allow_skip) return;
    // What is added has a higher layer, so that it comes behind.
    for (auto place = readings.begin(); place != readings.end(); ++place) {
      const auto& [reading, edits] = *place;
      if (reading.offset > 0 || !editable(reading.layer)) continue;
      const bool same_block = limited_ && reading.block > 0 && reading.block < options_.max_block;
      const int block = limited_ ? (same_block ? reading.block + 1 : 1) : 0;
      add(readings, {reading.layer + 1, block}, same_block ? edits : edits + 1);
    }
  }

  bool ends(const Readings& closed) const {
    return std::ranges::any_of(
        closed, [&](const auto& one) { return one.first.offset == 0 && one.first.layer == options_.depth; });
  }

  /// By the next step, what it leads to.
  std::map<Layer, Readings> moves(const Readings& closed) const {
    std::map<Layer, Readings> next;
    for (const auto& [reading, edits] : closed) {
      if (reading.offset > 0) {
        read_on(next, reading, edits);
        continue;
      }
      if (reading.layer < options_.depth) add(next[as_layer(reading.layer)], {reading.layer + 1}, edits);
      if (options_.allow_repeat && editable(reading.layer - 1)) begin_repeats(next, reading, edits);
    }
    std::erase_if(next, [](const auto& move) { return move.second.empty(); });
    return next;
  }

 private:
  static Layer as_layer(int layer) { return static_cast<Layer>(layer); }
  bool editable(int layer) const { return layer >= options_.first_layer && layer < options_.end_layer; }

  void add(Readings& to, const Reading& reading, int edits) const {
    if (!limited_) edits = 0;
    if (limited_ && edits > options_.max_edits) return;
    const auto [place, is_new] = to.emplace(reading, edits);
    if (!is_new) place->second = std::min(place->second, edits);
  }

  void begin_repeats(std::map<Layer, Readings>& next, const Reading& reading, int edits) const {
    const int from = std::max({options_.first_layer, reading.layer - repeated_block_, reading.first});
    for (int first = from; first < reading.layer; ++first) {
      for (int extra = first == reading.first ? reading.extra + 1 : 1; extra <= options_.max_extra_runs; ++extra)
        read_on(next, {reading.layer, reading.block, first, extra, 0}, edits + 1);
    }
  }

  /// One more step of the repeat.
  void read_on(std::map<Layer, Readings>& next, Reading reading, int edits) const {
    const int length = reading.layer - reading.first;
    const Layer step = as_layer(reading.first + reading.offset % length);
    reading.offset = (reading.offset + 1) % (length * reading.extra);
    add(next[step], reading, edits);
  }

  const SpaceOptions& options_;
  bool limited_;
  int repeated_block_;
};

}  // namespace

OverlappingPrograms::OverlappingPrograms(const SpaceOptions& options, int repeated_block, int max_layers) {
  const MoveFinder finder(options, repeated_block);
  std::map<Readings, int> states;
  states.emplace(Readings{{Reading{}, 0}}, 0);
  std::vector<const Readings*> found{&states.begin()->first};
  std::vector<double> ending;
  std::size_t held = 0;
  for (std::size_t state = 0; state < found.size() && counted_; ++state) {
    Readings closed = *found[state];
    finder.close(closed);
    ending.push_back(finder.ends(closed) ? 1 : 0);
    moves_.emplace_back();
    for (auto& [layer, readings] : finder.moves(closed)) {
      held += readings.size();
      const auto [place, is_new] = states.emplace(std::move(readings), static_cast<int>(found.size()));
      if (is_new) found.push_back(&place->first);
      moves_.back().emplace_back(layer, place->second);
    }
    counted_ = held <= kMostReadings;
  }
  if (!counted_) {
    moves_.clear();
    return;
  }
  ways_.push_back(std::move(ending));
  for (int steps_left = 1; steps_left <= max_layers; ++steps_left) {
    std::vector<double> sums(moves_.size(), 0);
    for (std::size_t state = 0; state < moves_.size(); ++state) {
      for (const auto& [layer, next] : moves_[state]) sums[state] += ways(next, steps_left - 1);
    }
    ways_.push_back(std::move(sums));
  }
}

double OverlappingPrograms::count(int layers) const {
  return counted_ && layers >= 1 ? ways(0, layers) : 0;
}

core::Program OverlappingPrograms::random(int layers, core::Random& random) const {
  std::vector<Layer> steps;
  int state = 0;
  for (int steps_left = layers; steps_left > 0; --steps_left) {
    double draw = random.uniform() * ways(state, steps_left);
    Move taken;
    for (const Move& move : moves_[static_cast<std::size_t>(state)]) {
      const double under = ways(move.second, steps_left - 1);
      if (under == 0) continue;
      taken = move;  // the last possible one stands when rounding leaves a rest of `draw`
      draw -= under;
      if (draw < 0) break;
    }
    steps.push_back(taken.first);
    state = taken.second;
  }
  return core::Program(std::move(steps));
}

void OverlappingPrograms::each(int layers, const std::function<bool(core::Program&&)>& take) const {
  std::vector<Layer> steps;
  if (count(layers) > 0) collect(0, layers, steps, take);
}

bool OverlappingPrograms::collect(int state, int steps_left, std::vector<Layer>& steps,
                                  const std::function<bool(core::Program&&)>& take) const {
  if (steps_left == 0) return take(core::Program(steps));
  for (const auto& [layer, next] : moves_[static_cast<std::size_t>(state)]) {
    if (ways(next, steps_left - 1) == 0) continue;
    steps.push_back(layer);
    const bool goes_on = collect(next, steps_left - 1, steps, take);
    steps.pop_back();
    if (!goes_on) return false;
  }
  return true;
}

}  // namespace polar::search
