#pragma once
// What a search is told: algorithm, budget, objective, and the knobs of each algorithm.

#include <string>
#include <string_view>
#include <vector>

#include "core/program.h"
#include "search/evaluator.h"

namespace polar::search {

/// How programs are chosen (search_factory.h says which class each one is). kPaper … kReplication are published
/// searches: presets.h gives their settings and sources.
enum class Algorithm {
  kGuided,       ///< the program that would be best under a model drawn from what the example showed so far
  kMcts,         ///< Monte Carlo tree search with a dense reward
  kPaper,        ///< PoLar, as the paper describes it
  kAuthors,      ///< PoLar, as its released code runs
  kDrLlm,        ///< Dr.LLM
  kReplication,  ///< RE-PoLar
  kBestFirst,    ///< children of the best program so far, by dense reward
  kBeam,         ///< level by level, the best programs of each
  kRandom,       ///< uniform over the space, by depth
  kEvolve,       ///< mutation and crossover across an elite
  kTransfer,     ///< the configuration's default: first_programs first, then kGuided
  kExhaustive,   ///< the whole space, by number of edits
};

/// "guided", "mcts", … in the order above.
const std::vector<std::string>& algorithm_names();
std::string_view to_string(Algorithm algorithm);
/// Throws UsageError listing the names.
Algorithm algorithm_of(std::string_view name);

enum class RewardKind {
  kDense,   ///< 1 if correct, else 0.5 · exp(answer_log_prob / answer_tokens): orders the search before the first hit
  kBinary,  ///< 1 if correct, else 0
};

/// The formula above, in [0, 0.5] ∪ {1}.
double reward(const Outcome& outcome, RewardKind kind);

/// What a search looks for. It decides when the search stops, where kGuided looks once something is valid, and which
/// trials SearchResult::chosen names.
enum class Objective {
  kFirstValid,  ///< any valid program; ends as stop_after_valid 1 does
  kShortest,    ///< the valid program of fewest layer executions
  kBest,        ///< the `keep` most optimal valid programs (more_optimal)
  kPareto,      ///< valid programs that no other beats in both layers and answer log-probability (pareto_front)
};
const std::vector<std::string>& objective_names();  ///< "first", "shortest", "best", "pareto"
std::string_view to_string(Objective objective);
Objective objective_of(std::string_view name);

/// Which edits of a valid program are tried without, one by one, as long as the rest stays valid; each try is a rollout
/// of the budget.
enum class Minimise {
  kOff,
  kRepeats,  ///< repeats: what is left is shorter
  kEdits,    ///< every edit: fewest edits, though a program without a skip is longer
};
const std::vector<std::string>& minimise_names();  ///< "off", "repeats", "edits"
std::string_view to_string(Minimise minimise);
Minimise minimise_of(std::string_view name);

struct SearchOptions {
  Algorithm algorithm = Algorithm::kGuided;
  int rollouts = 200;              ///< budget: trials per example, the identity included; ≥ 1
  int leaves_per_round = 8;        ///< trials selected before their outcomes are known; ≥ 1. Changes results: a setting
  double exploration = 0.7;        ///< mcts: c of the score; ≥ 0
  double length_penalty = 0.02;    ///< λ: price of K/D against rewards in [0, 1]; ≥ 0
  double widening_factor = 4;      ///< mcts: a of the widening; > 0
  double widening_exponent = 0.7;  ///< mcts: e of the widening; 0 … 1
  RewardKind reward = RewardKind::kDense;
  /// End after the round that brings this many valid programs and those that reduce them (minimise); 0 = use the whole
  /// budget.
  int stop_after_valid = 0;
  Objective objective = Objective::kBest;
  int keep = 50;  ///< k of Objective::kBest; ≥ 1. Changes what is chosen of the trials, and no trial
  Minimise minimise = Minimise::kOff;
  bool stop_when_rescued =
      false;                ///< Dr.LLM: end when a wrong identity is rescued, or a right one is cut by two layers
  double random_child = 0;  ///< ε of the chain searches: share of steps to a random child; 0 … 1
  bool log_visits_plus_one = false;  ///< ln(V + 1) in the chain searches' score, else ln V
  int beam_width = 8;                ///< beam: programs kept a level; ≥ 1
  int beam_children = 4;             ///< beam: children of each; ≥ 1
  int elite = 12;                    ///< evolve: parents; ≥ 2
  double model_spread = 1.5;         ///< guided: prior standard deviation of an edit's effect, in logits; > 0
  double model_noise = 1;            ///< guided: what adding effects up misses of a program of one edit, in logits; > 0
  double model_reach = 1.25;         ///< guided: layers over which blocks' effects resemble each other; ≥ 0
  double model_skip_cost = 0.9;      ///< guided: what a skipped layer is expected to take from the margin, in logits
  double model_repeat_cost = 0.65;   ///< guided: what an extra run of a block is expected to take, in logits
  /// Tried after the identity, in this order, before the algorithm's own; those outside the space are left out.
  std::vector<core::Program> first_programs = {};

  /// Throws UsageError naming the option, what was expected and found.
  void check() const;
  /// Whether every example meets every program of the space: kExhaustive that no valid program ends.
  bool runs_whole_space() const {
    return algorithm == Algorithm::kExhaustive && objective != Objective::kFirstValid && stop_after_valid == 0;
  }
  /// Every setting but `keep`, for digests: equal text, equal trials.
  std::string text() const;
};

}  // namespace polar::search
