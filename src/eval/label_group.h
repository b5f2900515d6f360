#pragma once
// Shared by the label analyses. Private to eval/.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/label_analysis.h"
#include "eval/statistics.h"

namespace polar::eval {

/// One example within a budget and a set of programs. Programs are numbers in LabelTable::programs.
struct ExampleLabels {
  const LabelExample* example = nullptr;
  std::vector<std::uint32_t> tried;  ///< distinct, in recorded order
  std::vector<std::uint32_t> valid;  ///< those that were correct, ascending by number
  std::optional<bool> base;          ///< verdict of the identity
  std::optional<std::uint32_t> shortest;
  int rollouts = 0;       ///< recorded trials, repeats included
  int first_valid = 0;    ///< 1-based trial of the first valid program; 0: none
  int first_shorter = 0;  ///< … of the first valid program of K < D

  bool solvable() const { return !valid.empty(); }
  bool rescued() const { return solvable() && base == false; }
};

enum class ProgramSet { kAll, kSkipOnly, kLoopOnly };
std::string_view to_string(ProgramSet set);

/// What each example's first `budget` trials (0: all) say about the programs of the set.
std::vector<ExampleLabels> labels_within(const LabelTable& table, int budget, ProgramSet set);

/// Examples of one level (or all), and what their figures are called.
struct LabelGroup {
  const LabelTable* table = nullptr;
  std::string set;
  std::string level;
  std::vector<const ExampleLabels*> examples;  ///< with at least one trial; never empty
  std::shared_ptr<const Resamples> resamples;  ///< of the examples
  std::uint64_t seed = 0;

  const LabelProgram& program(std::uint32_t number) const { return table->programs[number]; }
};

enum class Pool { kShortest, kValid, kTried };
inline constexpr Pool kPools[] = {Pool::kShortest, Pool::kValid, Pool::kTried};
std::string_view to_string(Pool pool);
/// The example's programs in the pool.
std::span<const std::uint32_t> programs_of(const ExampleLabels& labels, Pool pool);

/// One number an example; those that do not concern the figure are 0.
using PerExample = std::vector<double>;
double sum_of(const PerExample& values);

/// Collects the figures of one group.
class FigureList {
 public:
  explicit FigureList(const LabelGroup& group) : group_(group) {}

  /// The denominator of several ratios.
  struct Denominator {
    PerExample values;
    double total = 0;
    std::vector<double> resampled;
  };
  Denominator denominator(PerExample values) const;

  void count(std::string analysis, std::string key, double value);
  /// hits / n with Wilson's interval; nothing when n = 0.
  void share(std::string analysis, std::string key, std::int64_t hits, std::int64_t n);
  /// Sum of numerators over the denominator's, with a bootstrap interval; nothing when the denominator is 0.
  void ratio(std::string analysis, std::string key, const PerExample& numerators, const Denominator& denominator);
  /// The same for sums over pairs of examples, each pair's counted for both: the interval is twice as wide, as the
  /// variance of such a statistic is four times that of a mean of its projections (W. Hoeffding, Ann. Math. Statist. 19
  /// (1948), 293–325).
  void pair_ratio(std::string analysis, std::string key, const PerExample& numerators, const Denominator& denominator);
  void add(LabelFigure figure);

  std::vector<LabelFigure> take() { return std::move(figures_); }

 private:
  LabelFigure ratio_figure(const PerExample& numerators, const Denominator& denominator) const;

  const LabelGroup& group_;
  std::vector<LabelFigure> figures_;
};

/// hits / n, n ≥ 1, with Wilson's interval; set and level are the caller's.
LabelFigure share_figure(std::string analysis, std::string key, std::int64_t hits, std::int64_t n);

// The themes; each appends its figures.
void add_example_figures(const LabelGroup& group, FigureList& figures);  ///< counts … replay_shorter
void add_trial_figures(const LabelGroup& group, FigureList& figures);    ///< valid_given_…, no_parse
void add_emittable_figures(const LabelGroup& group, const std::optional<predict::TargetOptions>& predictor,
                           FigureList& figures);
void add_segment_figures(const LabelGroup& group, FigureList& figures);
void add_diversity_figures(const LabelGroup& group, FigureList& figures);  ///< edit_entropy, edit_gini
void add_cover_figures(const LabelGroup& group, FigureList& figures);      ///< valid_programs, cover
void add_overlap_figures(const LabelGroup& group, FigureList& figures);

/// Share of a space's changed programs that skip and that repeat each layer.
struct OfferedRates {
  int draws = 0;
  std::vector<double> skip, repeat;  ///< [D]
};
OfferedRates offered_rates(const search::SearchSpace& space, std::uint64_t seed);
void add_layer_figures(const LabelGroup& group, const OfferedRates* offered, FigureList& figures);

}  // namespace polar::eval
