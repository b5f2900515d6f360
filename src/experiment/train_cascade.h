#pragma once
// Part of stage 2 of a run: a cascade over the programs of a menu (method.md 3, menu policy).

#include <span>

#include "experiment/config.h"
#include "experiment/state.h"
#include "experiment/train_menu.h"
#include "predict/menu_file.h"

namespace polar::experiment {

inline constexpr const char* kCascade = "cascade";  ///< the policy, and its folder in the run

bool trains_cascade(const MenuConfig& config);

/// Saves a cascade over the menu of menu.cascade_from, one of `menus` (in the order of menu_names), whose valid_scores
/// are of `validation`. Steps: (1) every validation example is answered greedily, to the end and without its reference,
/// under the first menu.cascade_tries programs (a smaller menu: all) that a scorer which has not seen its problem
/// ranks; (2) of the rules that predict::tune_cascade tries the most accurate one is taken whose tries together run at
/// most menu.cascade_limit × D layers on average, the shallowest where none does (its selection says so). Menu and rule
/// are chosen on the same examples, the rule as the best of some hundred, so the accuracy that is reported there
/// flatters a little; test does not. Throws core::Interrupted, and as the executor and predict::save_menu do.
predict::TrainedMenu train_cascade(Experiment::State& state, std::span<const task::Example> validation,
                                   std::span<const MenuTraining> menus);

}  // namespace polar::experiment
