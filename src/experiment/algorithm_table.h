#pragma once
// Search algorithms side by side: figures from what each recorded on the same examples.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "search/result.h"

namespace polar::experiment {

/// What one algorithm made of every example, in the order of the examples. An exhaustive search has one budget, its
/// space; others are read at every budget from the recorded order, since a smaller budget makes a prefix of a larger
/// one's trials (search/search.h).
struct AlgorithmRun {
  std::string algorithm;
  bool exhaustive = false;
  std::vector<search::SearchResult> results;
};

/// Figures of one algorithm at one budget over the examples of one level.
struct AlgorithmRow {
  std::string algorithm, level;  ///< level eval::kAllLevels: every example
  int rollouts = 0;              ///< budget an example
  int examples = 0;
  int solved = 0;  ///< examples with a valid program, the identity included
  eval::Interval solved_interval = {};
  double rollouts_used = 0;  ///< mean; stop rules may leave some
  double first_hit = 0;      ///< mean rollouts up to and with the first valid program; unsolved: the budget
  std::optional<double> shortest_layers = {};                             ///< mean over solved examples
  eval::Interval first_hit_interval = {}, shortest_layers_interval = {};  ///< 95 % bootstrap
  /// Paired with the default at the same budget, 95 % bootstrap: share solved, over all examples; layers of the
  /// shortest valid program, over those that both solve. Nothing for the default itself and the exhaustive search.
  std::optional<double> solved_difference = {}, layers_difference = {};
  eval::Interval solved_difference_interval = {}, layers_difference_interval = {};
  /// The share solved as above, but with the pilot of the default charged: this algorithm at the budget and
  /// AlgorithmTableOptions::pilot_rollouts more. Nothing where that is beyond the largest budget, or without a pilot.
  std::optional<double> charged_difference = {};
  eval::Interval charged_difference_interval = {};
  /// How far the shortest valid program is above the exhaustive search's, over examples that both solve: mean of
  /// max(0, layers / optimum − 1), with a 95 % bootstrap.
  std::optional<double> over_optimum = {};
  eval::Interval over_optimum_interval = {};
  int optimum_known = 0;  ///< examples that the exhaustive search solves
  int optimum_both = 0;   ///< of these, solved here too: what over_optimum is the mean over
  int near_optimum = 0;   ///< of these, at most 0.05 above
};

struct AlgorithmTableOptions {
  std::string default_algorithm;  ///< what the others are compared with; one of the runs
  std::vector<int> rollouts;      ///< budgets, ascending
  std::uint64_t seed = 0;         ///< of the bootstrap
  int resamples = 2000;
  std::string pilot = {};    ///< what transfer spent beforehand, in words; empty: nothing
  bool first_valid = false;  ///< searches ended in the round of their first valid program
  int pilot_rollouts = 0;    ///< that for each compared example, rounded up, where transfer is the default
};

/// Rows by budget, then algorithm in the order of `runs`, then level in order of appearance and all of them. `levels`
/// has one entry an example. Throws core::Error when runs are of other examples than each other, when the default is
/// missing, and for a level named eval::kAllLevels.
std::vector<AlgorithmRow> algorithm_rows(std::span<const AlgorithmRun> runs, std::span<const std::string> levels,
                                         const AlgorithmTableOptions& options);

/// "algorithm,level,rollouts,examples,solved,…" and one line a row; what is absent is an empty field.
std::string algorithms_csv(std::span<const AlgorithmRow> rows);

/// Two Markdown tables a budget: share solved with algorithms down and levels across; then, by level and algorithm,
/// differences from the default, depths and rollouts.
std::string algorithms_markdown(std::span<const AlgorithmRow> rows, const AlgorithmTableOptions& options);

}  // namespace polar::experiment
