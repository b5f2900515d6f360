#pragma once
// Short names of what a router decides for a layer.

#include "predict/layer_choice.h"

namespace polar::test {

inline constexpr predict::LayerChoice kSkip = predict::LayerChoice::kSkip, kRun = predict::LayerChoice::kExecute,
                                      kTwice = predict::LayerChoice::kRepeat;

}  // namespace polar::test
