#pragma once
// What a training depends on, as one digest: for training.cpp.

#include <initializer_list>
#include <string>
#include <string_view>

#include "predict/training.h"

namespace polar::predict {

/// SHA-256 over the predictor's shape and weights, the sets, the options that decide about results, and `machine`. The
/// predictor's standardisation is left out: the training sets it from the features.
std::string training_digest(Predictor& predictor, std::initializer_list<TrainingSet> sets, const TargetOptions& targets,
                            const TrainingOptions& options, std::string_view machine);

}  // namespace polar::predict
