#pragma once
// Router: decides layer by layer, while a prompt is executed, whether the next layer is skipped, run or run twice.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/program.h"
#include "exec/encoding.h"
#include "exec/executor.h"
#include "policy/planner.h"
#include "predict/features.h"
#include "predict/layer_choice.h"

namespace polar::policy {

using Choice = predict::LayerChoice;
/// Hidden rows of all tokens of a prompt as they enter a layer, under the program chosen so far.
using LayerStates = predict::TokenFeatures;

/// One router decides for any number of inputs: a decision depends on the layer and the states alone. Not thread-safe.
class Router {
 public:
  virtual ~Router() = default;
  virtual Choice next(int layer, const LayerStates& states) = 0;
};

struct Route {
  core::Program program;
  int overruled = 0;  ///< decisions that predict::within_bounds changed
};

/// Walks every prompt through the layers, in their order. At each routed layer the prompts that have the same program
/// so far are read together, and the router decides for each. What was executed are steps of the program: whoever
/// answers with it, from the executor's cache or anew, pays for every layer that the decisions needed.
///
/// The program is decided once, from the prompt, and holds for the whole answer. Deviation: Dr.LLM's released code
/// (arXiv 2510.12773) decides again at every decoded token, from that token alone, and lets both runs of a repeated
/// layer share one cache slot (method.md 5).
///
/// A program is never empty, nor shorter or longer than `rules` allow: a skip or a repeat that would make it so becomes
/// an execution, and is counted. Throws core::UsageError when the rules contradict themselves or are of another depth
/// than the executor's pool, and as the executor and the router do.
std::vector<Route> route(exec::Executor& executor, std::span<const exec::EncodedExample> prompts, Router& router,
                         const predict::RouteRules& rules);

/// A router as a planner: one candidate, what route() gives. Reads Input::prompt. The executor must outlive it.
class RouterPlanner final : public Planner {
 public:
  RouterPlanner(std::string name, exec::Executor& executor, std::unique_ptr<Router> router,
                const predict::RouteRules& rules)
      : name_(std::move(name)), executor_(executor), router_(std::move(router)), rules_(rules) {}
  std::string name() const override { return name_; }
  /// Throws core::Error for an input without a prompt.
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;

 private:
  std::string name_;
  exec::Executor& executor_;
  std::unique_ptr<Router> router_;
  predict::RouteRules rules_;
};

}  // namespace polar::policy
