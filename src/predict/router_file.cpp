#include "predict/router_file.h"

#include <fmt/format.h>

#include <string>

#include "core/error.h"

namespace polar::predict {
namespace {

void check_fit(const RouteRules& rules, const RouterShape& shape, const std::filesystem::path& folder) {
  try {
    check_route_rules(rules);
  } catch (const core::UsageError& error) {
    throw core::Error(fmt::format("{}: {}", folder.string(), error.what()));
  }
  if (shape.layers != rules.routed()) {
    throw core::Error(fmt::format("{}: expected a router for each of {} layers, found {}; train again", folder.string(),
                                  rules.routed(), shape.layers));
  }
}

}  // namespace

LayerChoice TrainedRouters::choose(int layer, const TokenFeatures& states, double dial) const {
  const TokenFeatures windows = window_means(states, network.shape().windows);
  return choose_by(network.logits(layer - rules.first_layer, windows), dial);
}

void save_routers(const std::filesystem::path& folder, const TrainedRouters& trained) {
  const RouterShape& shape = trained.network.shape();
  check_fit(trained.rules, shape, folder);
  save_artifact(folder, kRouterKind,
                {trained.origin,
                 {{"router", to_string(shape.kind)},
                  {"width", shape.width},
                  {"hidden", shape.hidden},
                  {"windows", shape.windows},
                  {"depth", trained.rules.depth},
                  {"first_layer", trained.rules.first_layer},
                  {"end_layer", trained.rules.end_layer},
                  {"min_layers", trained.rules.min_layers},
                  {"max_layers", trained.rules.max_layers},
                  {"report", trained.report}},
                 trained.network.save()});
}

TrainedRouters load_routers(const std::filesystem::path& folder, std::string_view weights_digest) {
  const Artifact artifact = load_artifact(folder, kRouterKind, weights_digest);
  const auto integer = [&](const char* key) { return manifest_field<int>(artifact.body, folder, key); };
  const RouteRules rules{integer("depth"), integer("first_layer"), integer("end_layer"), integer("min_layers"),
                         integer("max_layers")};
  const RouterShape shape{router_kind(manifest_field<std::string>(artifact.body, folder, "router")), rules.routed(),
                          integer("width"), integer("hidden"), integer("windows")};
  check_fit(rules, shape, folder);
  TrainedRouters trained{artifact.origin, rules, RouterNetwork(shape, 0),
                         manifest_field<nlohmann::json>(artifact.body, folder, "report")};
  trained.network.load(artifact.weights);
  return trained;
}

}  // namespace polar::predict
