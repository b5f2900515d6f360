#pragma once
// Static analysis of labels: figures about programs and examples from recorded trials alone, nothing is run (method.md
// 2, 4 and 6; PoLar, arXiv 2606.06574, Table 1 and its analysis of valid programs; replication, arXiv 2609.31360).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/label_table.h"
#include "predict/targets.h"
#include "search/space.h"

namespace polar::eval {

/// One number. `set` says which programs count: "all", "skip_only" or "loop_only" (those of the same search that never
/// repeat, or never skip, a layer; the identity is in each), or the name of a separate search.
struct LabelFigure {
  std::string analysis;
  std::string set;
  std::string level;   ///< kAllLevels: all examples pooled
  std::string key;     ///< what the number is about, see analyse_labels()
  std::int64_t n = 0;  ///< the denominator: examples, or pairs of example and program, or segments
  double value = 0;
  std::optional<double> ci_low = std::nullopt;   ///< 95 %; none for counts and where nothing can vary
  std::optional<double> ci_high = std::nullopt;  ///< both or neither
  std::string note = {};                         ///< a program's text, for `cover`
  friend bool operator==(const LabelFigure&, const LabelFigure&) = default;
};

struct LabelAnalysisOptions {
  int budget = 0;  ///< replay: only the first so many recorded trials of each example count; 0 = all
  /// What the search could try, to compare layer rates with; null: no such figures.
  const search::SearchSpace* space = nullptr;
  bool offered = true;  ///< false where the space is too large to count: nothing is said of what it offers
  /// What this run's predictor can emit; nullopt: no such figure.
  std::optional<predict::TargetOptions> predictor = std::nullopt;
  std::uint64_t root_seed = 0;  ///< of bootstrap and draws
  int resamples = 1000;         ///< bootstrap; ≥ 2
};

/// Every figure of every level (in order of appearance) and of all pooled, for the sets all, skip_only and loop_only.
///
/// Words. D: layers of the model. K: layer executions of a program. Base right / wrong: the identity's recorded
/// verdict. Valid: its trial was correct. Solvable: has a valid program, the identity included. Rescued: base wrong and
/// solvable. C→C / W→C: solvable with the base right / wrong. Shortest: the valid program of fewest K, then of fewest
/// distinct layers, then the smaller one. A program tried twice on an example counts once. Whatever was not tried
/// counts as not valid, so that shares of solvable examples are lower bounds that grow with the budget, and shares of
/// examples that *need* an operation are upper bounds that fall with it.
///
/// Examples (interval: Wilson for shares, bootstrap over examples for means):
///  counts                 examples | unfinished | base_unknown (identity not tried) | rollouts (recorded trials) |
///                         rollouts_least | rollouts_most (of one example) | programs (distinct, tried)
///  base                   right: share of examples, of those whose identity was tried
///  solved                 any: share of solvable examples (Table 1)
///  rescued                of_wrong: share of rescued examples among those with base wrong
///  solvable_within_depth  p = 90, 95 … 115: share with a valid program of K ≤ p/100 · D
///  solvable_within_extra  e = 0 … 8: share with a valid program of K − distinct layers ≤ e
///  shortest_layers        CC | WC | solvable: mean K of the shortest valid program ("total depth")
///  shortest_unique        CC | WC | solvable: mean of its distinct layers ("unique depth")
///  shortest_share         CC/K | WC/K: share of C→C (W→C) examples whose shortest valid program has K executions
///  shorter_exists         CC | WC_of_wrong | WC_of_rescued: share with a valid program of K < D, of C→C, of all with
///                         base wrong (the paper), of the rescued (the replication)
///  needs                  recurrence | skip | both, each _of_solvable and _of_rescued: share whose valid programs all
///                         repeat a layer | all skip one | all do both
///  shortest_uses          recurrence | skip, likewise: share whose shortest valid program does so
///  replay_solved          r = 1, 2, 4 … most trials that every finished unsolved example has: share solvable within r
///                         (a pilot's own examples may have more, and stand in it as they were searched)
///  replay_shorter         r likewise: share of base-right examples with a valid program of K < D within the first r
///  valid_programs         mean_all | mean_solvable: valid programs per example
///  valid_programs_share   0 | 1 | 2-3 | 4-7 …: share of examples with so many
///  cover                  k: share of examples for which one of k programs is recorded as valid, programs chosen
///                         greedily (each the one that adds most examples; ties to the smaller program; in sample);
///                         note: the k-th program
/// Pairs of example and tried program (pooled over examples; interval: bootstrap over examples):
///  valid_given_extra      e = 0 … 8, 9+: share of valid pairs among those with exactly e extra executions
///  valid_given_depth      p = 60, 65 … 120, <60, >120: share of valid pairs ("accuracy") among those whose 100 K/D is
///                         nearest to p (halves up), the identity included
///  no_parse               tried | valid: share of pairs outside segment form (longest segment: the table's; any runs)
///  emittable              paper | repeat-3 | repeat-4 | repeat-5 | any_runs | predictor: share of valid pairs, the
///                         identity left out, in segment form with at most 4 layers a segment and 2 | 3 | 4 | 5 | any
///                         number of runs; predictor: that the options' predictor can emit
///  emittable_examples     paper | predictor: share of solvable examples with such a program or the identity valid
///  layer_skip             POOL/layer, offered/layer: share of changed programs that never run the layer. POOL is
///                         shortest (one program an example), valid or tried; offered: of the space, each of its
///                         changed programs alike (20,000 drawn; standard error below 0.4 points)
///  layer_repeat           the same, that run it more than once
///  layer_skip_ratio       tried/layer | offered/layer: valid rate over that rate; above 1: more often than chance
///  layer_repeat_ratio     the same for layer_repeat
///  overlap                valid_elsewhere: of the changed programs valid on one example, share valid on another that
///                         also tried it; expected: share of valid pairs among the changed tried ones; jaccard: mean
///                         |A ∩ B| / |A ∪ B| of the examples' sets of changed valid programs, over examples that have
///                         any, each against all others or 64 drawn ones; intervals: FigureList::pair_ratio
/// Segments of canonical parses (pooled; interval: bootstrap over examples). OP is repeat or skip:
///  segment_length         OP/POOL/l: share of OP segments of l layers
///  segment_runs           POOL/x: share of repeat segments with x extra runs
///  consecutive_layers     OP/POOL/l/c: share of OP segments of l layers that lie in exactly c consecutive layers with
///                         segments of the same OP
///  segment_at             OP/POOL/l/first: share of OP segments of l layers that start at layer `first`
///  edit_entropy           POOL: Shannon entropy in bits of the distribution over distinct segments (first, length,
///                         runs)
///  edit_entropy_share     POOL: that over log2 of the number of distinct segments tried; 1 = all alike
///  edit_gini              POOL: Gini coefficient of their counts, segments tried but absent from POOL counting 0:
///                         sum_ij |x_i − x_j| / (2 n² mean); interval of these three: ± 1.96 bootstrap standard errors
///
/// Of a table that is not ordered there are no replay_solved and no replay_shorter, of one without known ends no
/// unfinished.
/// The sets skip_only and loop_only have the figures of examples up to replay_shorter. A figure without denominator is
/// left out, as are shares of 0 in shortest_share, valid_programs_share and of segments. Costs about a second for
/// 100,000 trials. Throws core::UsageError for options out of range and for a budget in a table without order,
/// core::Error when a level is named kAllLevels.
std::vector<LabelFigure> analyse_labels(const LabelTable& table, const LabelAnalysisOptions& options);

/// The figures of examples up to replay_shorter for a separate search (say, in the space of skips only), under the set
/// name "search:NAME", so that they stand beside those filtered from the joint search. Budget as in the options.
std::vector<LabelFigure> analyse_separate_search(const LabelTable& table, std::string_view name,
                                                 const LabelAnalysisOptions& options);

}  // namespace polar::eval
