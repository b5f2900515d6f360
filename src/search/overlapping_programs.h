#pragma once
// How many layer sequences overlapping edits make, and which.

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "core/program.h"
#include "core/seed.h"
#include "search/space.h"

namespace polar::search {

/// The layer sequences that at most max_edits of the options' edits make (core::apply_overlapping_edits), by length.
/// One sequence is often made by several sets of edits; a deterministic automaton over layers, whose states are all
/// that a beginning may stand for, reads each in one way only, so that paths count programs. max_layer_runs is left to
/// the caller; end_layer is that of SearchSpace::options(). Immutable and thread-safe.
class OverlappingPrograms {
 public:
  /// Skips no longer than max_block, repeats no longer than `repeated_block`, programs of at most `max_layers`.
  OverlappingPrograms(const SpaceOptions& options, int repeated_block, int max_layers);

  /// False where the automaton came to hold more than kMostReadings readings of beginnings: nothing is known then, and
  /// counts are 0.
  bool counted() const { return counted_; }
  /// Number of programs of exactly `layers` executions, 0 … max_layers; exact below 2^53.
  double count(int layers) const;
  /// A program of exactly `layers` executions, each as likely; count(layers) must not be 0.
  core::Program random(int layers, core::Random& random) const;
  /// Hands over every program of `layers` executions, smaller ones first, until `take` says false.
  void each(int layers, const std::function<bool(core::Program&&)>& take) const;

  static constexpr std::size_t kMostReadings = 2'000'000;

 private:
  using Move = std::pair<core::Program::Layer, int>;  ///< the next step, and the state it leads to
  double ways(int state, int steps_left) const {
    return ways_[static_cast<std::size_t>(steps_left)][static_cast<std::size_t>(state)];
  }
  bool collect(int state, int steps_left, std::vector<core::Program::Layer>& steps,
               const std::function<bool(core::Program&&)>& take) const;

  std::vector<std::vector<Move>> moves_;   ///< by state, in the order of layers; 0 is the start
  std::vector<std::vector<double>> ways_;  ///< [steps left][state]: ways to end
  bool counted_ = true;
};

}  // namespace polar::search
