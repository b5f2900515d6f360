#pragma once
// What a layer router decides about one layer, and the programs that such decisions make (method.md 5, Dr.LLM).
// Torch-free.

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/program.h"

namespace polar::predict {

/// The value is how often the layer runs.
enum class LayerChoice { kSkip = 0, kExecute = 1, kRepeat = 2 };

inline constexpr std::array kLayerChoices{LayerChoice::kSkip, LayerChoice::kExecute, LayerChoice::kRepeat};

std::string_view to_string(LayerChoice choice);  ///< "skip", "execute", "repeat"

/// Which layers are routed, and how long a routed program may be.
struct RouteRules {
  int depth = 0;        ///< D
  int first_layer = 0;  ///< layers before this one run once
  int end_layer = 0;    ///< layers from this one on run once
  int min_layers = 1;   ///< fewest executions of a program, ≤ D
  int max_layers = 0;   ///< most executions, ≥ D

  bool routes(int layer) const { return first_layer <= layer && layer < end_layer; }
  int routed() const { return end_layer - first_layer; }  ///< number of routers
  friend bool operator==(const RouteRules&, const RouteRules&) = default;
};

/// Throws core::UsageError unless 0 ≤ first_layer < end_layer ≤ depth and 1 ≤ min_layers ≤ depth ≤ max_layers.
void check_route_rules(const RouteRules& rules);

/// What keeps a program within its bounds: `wanted`, or execute where that cannot be had. `steps`: executions of the
/// layers before `layer`. At every layer, steps + layers left lies in min_layers … max_layers, as it does at the first;
/// a skip that would make it less and a repeat that would make it more become executions. So no choice of later layers
/// is ever forced to mend an earlier one, the program is never empty, and its length is within the bounds. The price:
/// more repeats than the bounds leave room for are refused even where later skips would have made up for them.
LayerChoice within_bounds(LayerChoice wanted, int layer, int steps, const RouteRules& rules);

/// One choice a layer; nullopt for a program that layers skipped, executed or repeated on the spot do not make (blocks
/// looped as a whole, more than two runs), that edits a layer without a router, or that is too short or too long.
std::optional<std::vector<LayerChoice>> choices_of(const core::Program& program, const RouteRules& rules);

/// The steps of layers 0 … choices.size() − 1; the empty program when all are skipped.
core::Program program_of(std::span<const LayerChoice> choices);

/// The choice of logits over skip, execute and, unless the router has none, repeat: the most probable, the earlier of
/// equals. The compute dial p ∈ [−1, 1] mixes their softmax q with a fixed choice first:
///   −1 … 0      (1 + p)·q + (−p)·skip
///    0 … 0.5    (1 − 2p)·q + 2p·execute
///   0.5 … 1     (2 − 2p)·execute + (2p − 1)·repeat
/// Deviation: Dr.LLM's released code has the router itself at p = −0.5, and mixes it evenly with execute at 0, where
/// nothing is ever skipped; here 0 is the router. Throws core::Error unless there are two or three finite logits.
LayerChoice choose_by(std::span<const float> logits, double dial);

}  // namespace polar::predict
