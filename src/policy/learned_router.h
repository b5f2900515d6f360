#pragma once
// Trained routers of all layers as one Router: `drllm`, `mindskip` and `flexidepth` (predict/router_network.h says what
// each takes over and where it deviates).

#include "policy/router.h"
#include "predict/router_file.h"

namespace polar::policy {

class LearnedRouter final : public Router {
 public:
  /// `trained` must outlive it. `dial` in [−1, 1]: the compute dial of predict::choose_by; 0: what the routers say.
  /// Throws core::UsageError outside that range.
  explicit LearnedRouter(const predict::TrainedRouters& trained, double dial = 0);
  Choice next(int layer, const LayerStates& states) override { return trained_.choose(layer, states, dial_); }

 private:
  const predict::TrainedRouters& trained_;
  double dial_;
};

}  // namespace polar::policy
