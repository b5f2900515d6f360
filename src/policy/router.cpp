#include "policy/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "policy/read_features.h"
#include "pool/module_pool.h"

namespace polar::policy {
namespace {

/// So many that their states fit the cache of small models: the next layer then starts from them.
constexpr std::size_t kPromptsTogether = 32;

/// One prompt on its way.
struct Walk {
  const exec::EncodedExample* prompt = nullptr;
  std::vector<Choice> choices;  ///< of the layers passed
  int overruled = 0;

  void decide(Choice wanted, const predict::RouteRules& rules) {
    const auto layer = static_cast<int>(choices.size());
    const Choice choice = predict::within_bounds(wanted, layer, predict::program_of(choices).length(), rules);
    overruled += choice != wanted ? 1 : 0;
    choices.push_back(choice);
  }
};

/// Those with the same program so far, by that program.
std::map<core::Program, std::vector<Walk*>> by_program(std::span<Walk> walks) {
  std::map<core::Program, std::vector<Walk*>> groups;
  for (Walk& walk : walks) groups[predict::program_of(walk.choices)].push_back(&walk);
  return groups;
}

void route_layer(exec::Executor& executor, int layer, std::span<Walk> walks, Router& router,
                 const predict::RouteRules& rules) {
  for (const auto& [program, group] : by_program(walks)) {
    std::vector<exec::EncodedExample> prompts;
    for (const Walk* walk : group) prompts.push_back(*walk->prompt);
    const std::vector<LayerStates> states = read_states(executor, prompts, program);
    for (std::size_t i = 0; i < group.size(); ++i) group[i]->decide(router.next(layer, states[i]), rules);
  }
}

}  // namespace

std::vector<Route> route(exec::Executor& executor, std::span<const exec::EncodedExample> prompts, Router& router,
                         const predict::RouteRules& rules) {
  const pool::OneIntraOpThread alone;
  predict::check_route_rules(rules);
  if (const int depth = executor.pool().manifest().depth; rules.depth != depth) {
    throw core::UsageError(fmt::format("routers: expected those of {} layers, as {} has, found some of {}", depth,
                                       executor.pool().manifest().folder.string(), rules.depth));
  }
  std::vector<Route> routes;
  for (std::size_t first = 0; first < prompts.size(); first += kPromptsTogether) {
    std::vector<Walk> walks;
    for (const exec::EncodedExample& prompt :
         prompts.subspan(first, std::min(kPromptsTogether, prompts.size() - first)))
      walks.push_back({&prompt, {}, 0});
    for (int layer = 0; layer < rules.depth; ++layer) {
      if (rules.routes(layer)) {
        route_layer(executor, layer, walks, router, rules);
      } else {
        for (Walk& walk : walks) walk.choices.push_back(Choice::kExecute);
      }
    }
    for (const Walk& walk : walks) routes.push_back({predict::program_of(walk.choices), walk.overruled});
  }
  return routes;
}

std::vector<RankedPrograms> RouterPlanner::propose(std::span<const Input> inputs) {
  std::vector<exec::EncodedExample> prompts;
  for (const Input& input : inputs) {
    if (input.prompt == nullptr) {
      throw core::Error(fmt::format(
          "policy {}: example '{}': expected its prompt, since routers decide while it is executed, found none", name_,
          input.id));
    }
    prompts.push_back(*input.prompt);
  }
  std::vector<RankedPrograms> proposals;
  for (const Route& routed : route(executor_, prompts, *router_, rules_)) proposals.push_back({routed.program});
  return proposals;
}

}  // namespace polar::policy
