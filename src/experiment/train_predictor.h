#pragma once
// The paper's predictor of a run: from labels to a trained predictor.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "experiment/state.h"
#include "predict/predictor_file.h"

namespace polar::experiment {

/// Inputs of the labelled examples, in the data set's order; borrowed.
struct LabelledFeatures {
  std::span<const predict::TokenFeatures> train, valid;
};

struct PredictorStage {
  predict::TrainedPredictor trained;
  nlohmann::json selection;  ///< of selection.json: counts of programs, learning curve, epoch and threshold chosen
};

/// Steps: (1) the chosen programs of each example; those that the predictor cannot emit are cropped and executed when
/// predict.unemittable says so; (2) targets; (3) training, which goes on from predictor_checkpoint of the same run; (4)
/// the boundary threshold by validation, when predict.threshold says so. Throws core::Interrupted as predict::train
/// does.
PredictorStage train_predictor(Experiment::State& state, const labels::LabelStore& store,
                               const LabelledFeatures& features, const predict::Origin& origin);

/// The file of an unfinished training, in the run's folder; whoever has saved the predictor removes it.
std::filesystem::path predictor_checkpoint(const Experiment::State& state);

}  // namespace polar::experiment
