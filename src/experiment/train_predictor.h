#pragma once
// The paper's predictor of a run: from labels to a trained predictor.

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "experiment/state.h"
#include "policy/baselines.h"
#include "predict/features.h"
#include "task/example.h"

namespace polar::experiment {

/// Labelled examples that are learnt from, and what the predictor reads of each.
struct LearningSet {
  std::vector<task::Example> examples;
  std::vector<predict::TokenFeatures> features;
};

/// The programs that a predictor of these settings learns for each training example, with weights that sum to 1 where
/// there are any: steps 1 and 2 below.
std::vector<std::vector<policy::WeightedProgram>> target_programs(Experiment::State& state,
                                                                  const labels::LabelStore& store,
                                                                  std::span<const task::Example> examples);

inline constexpr const char* kPredictor = "predictor";               ///< the policy, and its folder in the run
inline constexpr const char* kLevelPredictors = "level_predictors";  ///< entry of selection.json

/// Steps: (1) the chosen programs of each example; those that the predictor cannot emit are cropped and executed when
/// predict.unemittable says so; (2) targets; (3) training, which goes on from the checkpoint of the same training; (4)
/// the boundary threshold by validation, when predict.threshold says so; (5) saving it. Its entry of
/// selection.json: counts of programs, learning curve, epoch and threshold chosen. Throws core::Interrupted as
/// predict::train does.
nlohmann::json train_predictor(Experiment::State& state, const labels::LabelStore& store, const LearningSet& train,
                               const LearningSet& valid);

/// The same once a level of the training examples, from its own examples alone, in folders predictor-level-1 and so on,
/// which replace those of an earlier training: an array of the entries, with `level` and `folder`. A level without a
/// program that a predictor can emit has none; its questions keep the identity.
nlohmann::json train_level_predictors(Experiment::State& state, const labels::LabelStore& store,
                                      const LearningSet& train, const LearningSet& valid);

/// Of a finished training: each level's folder in the run, by level; empty without predict.per_level. Throws
/// core::Error when selection.json does not say.
std::map<std::string, std::string> level_predictors(const Experiment::State& state);

/// Of an earlier training, finished or not.
void remove_level_predictors(const Experiment::State& state);

/// Removes the checkpoints of finished trainings, which an interrupted run goes on from.
void remove_predictor_checkpoints(const Experiment::State& state);

}  // namespace polar::experiment
