#pragma once
// Stage 2 of a run: from labels to policies.

#include <span>
#include <string>
#include <vector>

#include "experiment/state.h"
#include "experiment/train_menu.h"
#include "experiment/train_predictor.h"
#include "predict/matrix.h"

namespace polar::experiment {

/// After the programs of baselines (BaselineStage) and the learned routers (RouterStage), steps: (1) the part
/// of the labelled examples that is learnt from (predict.labelled_share), and their features; (2) the paper's predictor
/// on the chosen programs, and one a level where predict.per_level says so (train_predictor.h); (3) candidates for the
/// menu from the training labels; (4) their outcomes on these examples, recorded in menu.sqlite, so
/// that an interrupted or changed training executes none of them again; (5) the menu policies
/// (train_menu.h) and the cascade (train_cascade.h); (6) selection.json, the last file written: what was chosen, before
/// any test example is looked at.
class TrainStage {
 public:
  explicit TrainStage(Experiment::State& state) : state_(state) {}
  void run();
  StageStatus status() const;

 private:
  /// Outcomes of programs on examples: correct 0/1 and log-probability of the reference.
  struct Outcomes {
    predict::Matrix correct, log_prob;
    std::vector<int> answer_tokens;  ///< by row
  };
  Stage stage(const std::string& labels_digest) const;
  StageStatus own_status(const Stage& own) const;
  void load_examples();
  std::vector<task::Example> labelled() const;  ///< train, then validation
  std::vector<core::Program> menu_candidates(const labels::LabelStore& store) const;
  Outcomes outcomes(const labels::LabelStore& labels, std::span<const core::Program> programs);
  std::vector<MenuTraining> menus(std::span<const core::Program> candidates, Outcomes outcomes) const;

  Experiment::State& state_;
  LearningSet train_, valid_;
};

}  // namespace polar::experiment
