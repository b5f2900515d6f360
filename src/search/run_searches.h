#pragma once
// Searches of many examples, in step: one batch holds trials of many trees, which keeps the matrix products large.

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "search/evaluator.h"
#include "search/options.h"
#include "search/result.h"
#include "search/space.h"
#include "task/example.h"

namespace polar::search {

/// A round of an example's search: trials[i] had outcomes[i].
struct FinishedRound {
  const task::ExampleId& example;
  int round = 0;
  std::span<const Trial> trials;
  std::span<const Outcome> outcomes;
};

/// Receives every finished round of every search, in order within an example. A resumed search replays its stored
/// rounds through an evaluator that answers from the store, so a round may arrive again, with the same content: ignore
/// it then.
class RoundRecorder {
 public:
  virtual ~RoundRecorder() = default;
  /// The rounds of one step. One call = one transaction of the label store. What it throws ends run_searches.
  virtual void record_step(std::span<const FinishedRound> rounds) = 0;
  /// The example's search has ended.
  virtual void mark_done(const task::ExampleId& example) = 0;
};

struct SearchProgress {
  int searches_done = 0;
  int searches = 0;
  long rollouts_done = 0;
  long rollouts_at_most = 0;  ///< falls when a search ends before its budget
  int identity_correct = 0;   ///< examples whose identity was right
  int solved = 0;             ///< examples with at least one valid program, the identity included
};

struct SearchRun {
  std::uint64_t root_seed = 0;
  int trees_in_step = 64;             ///< trees advanced together; ≥ 1; changes speed and memory, never results
  RoundRecorder* recorder = nullptr;  ///< may be null
  std::function<void(const SearchProgress&)> progress = {};  ///< called after every step; may be empty
  const std::atomic<bool>* stop = nullptr;                   ///< set by a signal handler or another thread; may be null
};

/// Searches every example and returns the results in the order of `examples`. Each step:
///   1. select: every active search gives its round; one that has ended leaves its result, is freed and makes room for
///   the next
///   2. evaluate: one batch with the trials of all active searches
///   3. record: every search's round, all of them or none
///   4. backup: each search takes its outcomes
/// Same seed, same trials per example, whatever the trees in step and the order of examples. Throws core::Interrupted
/// when run.stop is set, before the next batch: every evaluated round is recorded by then. Throws UsageError for
/// repeated example ids or bad options, and whatever evaluate_checked() and the recorder throw.
std::vector<SearchResult> run_searches(std::span<const task::ExampleId> examples, const SearchSpace& space,
                                       const SearchOptions& options, Evaluator& evaluator, const SearchRun& run = {});

}  // namespace polar::search
