#pragma once
// Part of stage 2 of a run: from outcomes of candidate programs to menu policies.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/program.h"
#include "experiment/config.h"
#include "predict/matrix.h"
#include "predict/menu_file.h"

namespace polar::experiment {

/// Rows: training examples, then validation examples.
struct MenuData {
  std::span<const core::Program> candidates;  ///< [P], the identity first
  predict::Matrix features;                   ///< [n, f], pooled
  predict::Matrix correct;                    ///< [n, P] of 0 and 1
  predict::Matrix log_prob;                   ///< [n, P] of the reference answer
  std::vector<int> answer_tokens;             ///< [n], its end included
  std::vector<int> groups;                    ///< [n] a number a problem: examples of one problem are left out together
  int train_rows = 0;
};

struct MenuTraining {
  predict::TrainedMenu menu;
  predict::Matrix valid_scores;  ///< [validation rows, menu], by a scorer that has not seen the row's problem
};

/// The policy of a depth limit: "menu" for menu.depth_limit, "menu_0.9" for the operating point 0.9.
std::string menu_name(double operating_point);
/// Names of all menu policies of a configuration, "menu" first; also their folders in the run.
std::vector<std::string> menu_names(const MenuConfig& config);

/// One menu a name, in order: the same programs, each with the scorer and rule of its depth limit. Steps: (1) programs
/// by greedy cover of the training examples; (2) a scorer for each strength and bandwidth, and its scores of examples
/// it was not fitted on: validation, or every example without those of its problem (menu.select); (3) calibration on
/// these pairs; its reliability is measured on them as well, each calibrated by other problems' pairs; (4) the most
/// accurate point of the grid within each limit, the shallowest where none is (its selection says so); (5) the scorer,
/// fitted to training examples, or to all where every example was scored without its group. The programs are chosen by
/// training outcomes, so leave-group-out figures flatter a little. `seed`: of a network's first weights. Throws as
/// predict::greedy_cover and predict::MenuScorer do.
std::vector<MenuTraining> train_menus(const MenuConfig& config, const MenuData& data, const predict::Origin& origin,
                                      int depth, std::uint64_t seed);

/// One line about what was chosen for the first of them.
std::string describe_menu(const predict::TrainedMenu& menu);

}  // namespace polar::experiment
