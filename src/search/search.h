#pragma once
// One search of one example, whatever its algorithm: rounds of trials out, outcomes in.

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "search/evaluator.h"
#include "search/options.h"
#include "search/result.h"
#include "search/space.h"
#include "task/example.h"

namespace polar::search {

/// The frame that every algorithm shares. It keeps the budget, the rounds and the stop rules, names programs by their
/// layer sequence so that none is tried twice, and chooses each trial so:
///   1. the identity, first of all
///   2. a valid program without one of its edits (options.minimise), most optimal program first
///   3. options.first_programs
///   4. the algorithm's next()
/// A search of a smaller budget makes a prefix of the trials of a larger one.
///
/// A pure function of example id, space, options, seed and outcomes. Not thread-safe. `space` must outlive it.
class Search {
 public:
  virtual ~Search() = default;
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  /// The trials of the next round: at most leaves_per_round, never beyond the budget. Empty when the search has ended
  /// (budget, stop rule or space). The outcomes must be backed up before the next call.
  std::vector<Trial> select();

  /// Outcomes of the selected trials, in their order, as evaluate_checked() gives them.
  void backup(std::span<const Outcome> outcomes);

  const task::ExampleId& example() const { return example_; }
  /// Rounds backed up so far; the round being selected has this number.
  int round() const { return round_; }
  int valid_count() const { return valid_count_; }
  const std::vector<RecordedTrial>& trials() const { return trials_; }

  /// Moves the result out; the search must not be used afterwards.
  SearchResult take_result();

 protected:
  /// Throws UsageError for bad options.
  Search(task::ExampleId example, const SearchSpace& space, const SearchOptions& options);

  /// A program of the space that is not known() yet; nullopt when there is none for now. Called for the leaves of a
  /// round one after the other, before any of their outcomes. nullopt for the first leaf ends the search: the space is
  /// exhausted, or next() called give_up().
  virtual std::optional<EditedProgram> next() = 0;

  /// For next() that finds nothing although something may be left: the result is not `exhausted` then.
  void give_up() { gave_up_ = true; }

  /// Every outcome, in the order selected; `tried` need not come from next(), and the identity never does.
  virtual void learn(const EditedProgram& tried, const Outcome& outcome) = 0;

  /// Whether the program was selected before.
  bool known(const core::Program& program) const { return known_.contains(program); }
  const SearchSpace& space() const { return space_; }
  const SearchOptions& options() const { return options_; }
  /// Trials selected so far, those under way included.
  int selected() const { return static_cast<int>(known_.size()); }
  /// Layers of the shortest valid program so far; nullopt before the first.
  std::optional<int> shortest_valid() const { return shortest_valid_; }
  /// reward − λ·K/D: what the searches that keep a best-so-far order programs by.
  double value(const core::Program& program, const Outcome& outcome) const;

 private:
  std::optional<EditedProgram> choose();
  bool stopped() const;
  void queue_reductions(const EditedProgram& valid);

  task::ExampleId example_;
  const SearchSpace& space_;
  SearchOptions options_;
  std::unordered_set<core::Program> known_;
  std::deque<EditedProgram> reductions_;
  std::size_t next_first_program_ = 0;
  std::vector<EditedProgram> pending_;  ///< selected and not yet backed up
  std::vector<RecordedTrial> trials_;
  int round_ = 0;
  int valid_count_ = 0;
  std::optional<int> shortest_valid_;
  bool rescued_ = false;
  bool gave_up_ = false;  ///< in the round being selected
  bool exhausted_ = false;
};

}  // namespace polar::search
