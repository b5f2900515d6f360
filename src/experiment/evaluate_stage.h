#pragma once
// Stage 3 of a run: every policy on test and out-of-distribution sets.

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/metrics.h"
#include "eval/rows.h"
#include "experiment/evaluation_steps.h"
#include "experiment/state.h"
#include "policy/planners.h"
#include "predict/router_file.h"

namespace polar::experiment {

/// Refuses examples that training or selection may have seen (leakage.h). Steps: (1) load what training chose; (2)
/// search test examples for the oracle, and try the menu on them for the menu oracle, into stores of their own; (3) let
/// every policy propose programs from the prompts alone; (4) run every distinct program of an example once, greedily
/// unless its policy samples, to the end, without reference or early stop; (5) grade; (6) time single answers; (7)
/// write evaluation.jsonl and report/. Stopped or killed in (4), it goes on after the last step that was finished.
///
/// Two probes show what any k tries give under pass@k, whatever the input: `random_menu`, k programs drawn once for all
/// inputs as the policy random draws them (policy::random_programs), and `menu_first_k`, the first k of the trained
/// menu in the order in which the cover took them, the identity first.
class EvaluateStage {
 public:
  explicit EvaluateStage(Experiment::State& state) : state_(state) {}
  void run();

 private:
  /// One set of examples and how their prompts are made.
  struct Set {
    std::string name;
    std::span<const task::Example> examples;
    task::TaskSpec task;
  };
  Stage stage() const;
  std::string menus_digest() const;
  std::vector<Set> sets() const;
  policy::RankedPrograms static_ranking() const;
  void load_policies();
  void load_baselines();
  void load_level_predictors();
  void load_routers();
  void add_fixed(const std::string& name, policy::RankedPrograms programs);
  void try_menu();
  std::vector<task::Example> oracle_examples() const;
  void open_oracle();
  struct Proposals;
  struct Asked;
  Proposals propose(const Set& set) const;
  std::vector<eval::EvaluationRow> evaluate(const Set& set);
  std::vector<eval::EvaluationRow> answer(const Set& set, const Proposals& proposals, const exec::TaskEncoder& encoder,
                                          std::span<const exec::EncodedExample> encoded, std::size_t first,
                                          std::size_t last);
  void write(std::vector<eval::EvaluationRow> rows, std::vector<eval::Figure> latency);

  Experiment::State& state_;
  std::unique_ptr<predict::TrainedPredictor> predictor_;
  std::vector<predict::TrainedMenu> menus_;        ///< one a name of menu_names; planners refer to them
  std::unique_ptr<predict::TrainedMenu> cascade_;  ///< a planner refers to it
  std::vector<predict::TrainedRouters> routers_;   ///< planners refer to them
  std::unique_ptr<labels::LabelStore> oracle_, menu_oracle_;
  std::vector<std::unique_ptr<policy::Planner>> planners_;
  std::optional<EvaluationSteps> steps_;
  int step_ = 0;  ///< the next one's number, over all sets
};

}  // namespace polar::experiment
