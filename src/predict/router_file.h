#pragma once
// Trained layer routers with what is needed to use them, and their folder on disk.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "predict/artifact.h"
#include "predict/layer_choice.h"
#include "predict/router_network.h"

namespace polar::predict {

inline constexpr const char* kRouterKind = "layer routers";     ///< in the manifest of their folder
inline constexpr const char* kRouterFeatures = "layer states";  ///< Origin::features: those entering each layer

struct TrainedRouters {
  Origin origin;  ///< prefix_layers: rules.first_layer
  RouteRules rules;
  RouterNetwork network;  ///< of rules.routed() layers
  nlohmann::json report;  ///< how they were trained and what they did on validation; may be null

  /// For a routed layer of the pool, by all rows of the prompt that enter it. Throws core::Error as
  /// RouterNetwork::logits does.
  LayerChoice choose(int layer, const TokenFeatures& states, double dial = 0) const;
};

/// Replaces the routers in `folder` atomically (artifact.h). Throws core::Error when rules and network do not fit.
void save_routers(const std::filesystem::path& folder, const TrainedRouters& trained);

/// Reads them back: equal choices. Refuses routers of another pool, naming both digests; throws core::Error as
/// load_artifact does.
TrainedRouters load_routers(const std::filesystem::path& folder, std::string_view weights_digest);

}  // namespace polar::predict
