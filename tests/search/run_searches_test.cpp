#include "search/run_searches.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/seed.h"
#include "search/evaluator.h"
#include "search/mcts.h"
#include "support/fake_evaluator.h"

namespace polar::search {
namespace {

using test::arbitrary_outcome;
using test::RuleEvaluator;

const SearchSpace& searched_space() {
  static const SearchSpace instance({.depth = 14, .min_depth_ratio = 0.8});
  return instance;
}

const SearchOptions kOptions{.algorithm = Algorithm::kMcts, .rollouts = 45, .leaves_per_round = 4};

std::vector<task::ExampleId> examples(int count) {
  std::vector<task::ExampleId> ids;
  for (int i = 0; i < count; ++i) ids.push_back("example-" + std::to_string(i));
  return ids;
}

RuleEvaluator model() {
  return RuleEvaluator([](const Trial& trial) { return arbitrary_outcome(trial); });
}

struct TrialOrder {
  bool operator()(const Trial& a, const Trial& b) const {
    return std::tie(a.example, a.program, a.sample) < std::tie(b.example, b.program, b.sample);
  }
};

using Trials = std::vector<std::tuple<core::Program, Outcome, int>>;

std::map<task::ExampleId, Trials> by_example(const std::vector<SearchResult>& results) {
  std::map<task::ExampleId, Trials> sorted;
  for (const SearchResult& result : results) {
    Trials& trials = sorted[result.example];
    for (const RecordedTrial& trial : result.trials) trials.emplace_back(trial.program, trial.outcome, trial.round);
  }
  return sorted;
}

/// A store in memory: records rounds, and as an evaluator answers from them first. As an inner evaluator it would be
/// the real store's.
class MemoryStore final : public RoundRecorder, public Evaluator {
 public:
  explicit MemoryStore(Evaluator& inner) : inner_(inner) {}

  void record_step(std::span<const FinishedRound> rounds) override {
    for (const auto& [example, round, trials, outcomes] : rounds) {
      const Round content{{trials.begin(), trials.end()}, {outcomes.begin(), outcomes.end()}};
      const auto [place, fresh] = rounds_.emplace(std::pair(example, round), content);
      if (!fresh) {
        EXPECT_EQ(place->second, content) << "a replayed round differs";
      }
      EXPECT_TRUE(round == 0 || rounds_.contains({example, round - 1})) << "rounds arrive in order";
      for (std::size_t i = 0; i < trials.size(); ++i) known_.emplace(trials[i], outcomes[i]);
    }
  }

  void mark_done(const task::ExampleId& example) override { done_.push_back(example); }

  std::vector<Outcome> evaluate(std::span<const Trial> trials) override {
    std::vector<Trial> missing;
    for (const Trial& trial : trials) {
      if (!known_.contains(trial)) missing.push_back(trial);
    }
    std::vector<Outcome> fresh;
    if (!missing.empty()) fresh = inner_.evaluate(missing);
    executed_ += missing.size();
    std::vector<Outcome> outcomes;
    std::size_t next = 0;
    for (const Trial& trial : trials) {
      const auto stored = known_.find(trial);
      outcomes.push_back(stored != known_.end() ? stored->second : fresh[next++]);
    }
    return outcomes;
  }

  std::size_t executed() const { return executed_; }
  const std::vector<task::ExampleId>& done() const { return done_; }
  std::size_t recorded() const { return known_.size(); }

 private:
  using Round = std::pair<std::vector<Trial>, std::vector<Outcome>>;
  Evaluator& inner_;
  std::map<std::pair<task::ExampleId, int>, Round> rounds_;
  std::map<Trial, Outcome, TrialOrder> known_;
  std::vector<task::ExampleId> done_;
  std::size_t executed_ = 0;
};

TEST(RunSearches, MarksEverySearchAsDoneWhenItEnds) {
  RuleEvaluator evaluator = model();
  MemoryStore store(evaluator);
  auto ids = examples(5);
  std::size_t done_early = 0;
  SearchRun run{.root_seed = 5, .trees_in_step = 2, .recorder = &store};
  run.progress = [&](const SearchProgress& now) {
    if (now.searches_done < 5) done_early = std::max(done_early, store.done().size());
  };
  run_searches(ids, searched_space(), kOptions, store, run);
  EXPECT_GE(done_early, 2U);
  EXPECT_EQ(store.done().size(), 5U);
}

TEST(RunSearches, GivesTheSameTrialsWhateverTheTreesInStepAndTheOrderOfExamples) {
  RuleEvaluator evaluator = model();
  auto ids = examples(11);
  const auto alone =
      by_example(run_searches(ids, searched_space(), kOptions, evaluator, {.root_seed = 5, .trees_in_step = 1}));
  core::Random random(2);
  for (const int trees : {2, 7, 64}) {
    random.shuffle(ids);
    const SearchRun run{.root_seed = 5, .trees_in_step = trees};
    EXPECT_EQ(by_example(run_searches(ids, searched_space(), kOptions, evaluator, run)), alone)
        << trees << " trees in step";
  }
  EXPECT_NE(by_example(run_searches(ids, searched_space(), kOptions, evaluator, {.root_seed = 6})), alone);
}

TEST(RunSearches, EqualsASearchRunByItself) {
  RuleEvaluator evaluator = model();
  const auto ids = examples(3);
  const auto results = run_searches(ids, searched_space(), kOptions, evaluator, {.root_seed = 5});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    TreeSearch tree(ids[i], searched_space(), kOptions, 5);
    for (auto trials = tree.select(); !trials.empty(); trials = tree.select()) tree.backup(evaluator.evaluate(trials));
    const std::vector<SearchResult> single{tree.take_result()};
    EXPECT_EQ(results[i].example, ids[i]);
    EXPECT_EQ(by_example(single).at(ids[i]), by_example(results).at(ids[i]));
    EXPECT_EQ(single[0].valid, results[i].valid);
  }
}

TEST(RunSearches, PutsTheTrialsOfAllActiveTreesIntoOneBatch) {
  std::vector<std::size_t> batches;
  RuleEvaluator inner = model();
  struct Watching final : Evaluator {
    Watching(Evaluator& evaluator, std::vector<std::size_t>& sizes_seen) : inner(evaluator), sizes(sizes_seen) {}
    std::vector<Outcome> evaluate(std::span<const Trial> trials) override {
      sizes.push_back(trials.size());
      return inner.evaluate(trials);
    }
    Evaluator& inner;
    std::vector<std::size_t>& sizes;
  } watching(inner, batches);
  run_searches(examples(6), searched_space(), {.rollouts = 8, .leaves_per_round = 4}, watching, {.trees_in_step = 4});
  EXPECT_EQ(batches, (std::vector<std::size_t>{16, 16, 8, 8})) << "four trees twice, then the other two";
}

TEST(RunSearches, SpendsExactlyTheBudget) {
  std::size_t asked = 0;
  std::set<Trial, TrialOrder> distinct;
  RuleEvaluator evaluator([&](const Trial& trial) {
    ++asked;
    distinct.insert(trial);
    return arbitrary_outcome(trial);
  });
  const auto results = run_searches(examples(11), searched_space(), kOptions, evaluator, {.trees_in_step = 4});
  EXPECT_EQ(asked, 11u * 45);
  EXPECT_EQ(distinct.size(), 11u * 45);
  for (const SearchResult& result : results) EXPECT_EQ(result.trials.size(), 45u);
}

TEST(RunSearches, ResumedByReplayEndsAsOneNeverInterrupted) {
  RuleEvaluator evaluator = model();
  const auto ids = examples(9);
  const auto undisturbed = run_searches(ids, searched_space(), kOptions, evaluator, {.root_seed = 3});
  for (const int steps_before_stop : {0, 1, 3, 10}) {
    MemoryStore store(evaluator);
    std::atomic<bool> stop = steps_before_stop == 0;
    int steps = 0;
    const auto stop_later = [&](const SearchProgress&) { stop = ++steps >= steps_before_stop; };
    const SearchRun first{
        .root_seed = 3, .trees_in_step = 2, .recorder = &store, .progress = stop_later, .stop = &stop};
    EXPECT_THROW(run_searches(ids, searched_space(), kOptions, store, first), core::Interrupted);
    EXPECT_EQ(store.executed(), store.recorded()) << "the round under way is recorded";
    const SearchRun second{.root_seed = 3, .trees_in_step = 5, .recorder = &store};
    const auto resumed = run_searches(ids, searched_space(), kOptions, store, second);
    EXPECT_EQ(by_example(resumed), by_example(undisturbed));
    EXPECT_EQ(store.executed(), 9u * 45) << "nothing recorded was executed again";
  }
}

TEST(RunSearches, ResumesAfterTheEvaluatorBroke) {
  RuleEvaluator evaluator = model();
  const auto ids = examples(9);
  int left = 150;
  RuleEvaluator dies([&](const Trial& trial) {
    if (left-- == 0) throw core::Error("the model broke");
    return arbitrary_outcome(trial);
  });
  MemoryStore store(evaluator);
  const SearchRun run{.trees_in_step = 3, .recorder = &store};
  EXPECT_THROW(run_searches(ids, searched_space(), kOptions, dies, run), core::Error);
  EXPECT_EQ(store.recorded(), 147u) << "three searches of 45 and one more batch of 12";
  EXPECT_EQ(by_example(run_searches(ids, searched_space(), kOptions, store, run)),
            by_example(run_searches(ids, searched_space(), kOptions, evaluator)));
}

TEST(RunSearches, SaysHowFarItCameWhenInterrupted) {
  RuleEvaluator evaluator = model();
  const std::atomic<bool> stop = true;
  try {
    run_searches(examples(4), searched_space(), kOptions, evaluator, {.stop = &stop});
    FAIL();
  } catch (const core::Interrupted& interrupted) {
    EXPECT_EQ(interrupted.exit_code(), 130);
    EXPECT_NE(std::string(interrupted.what()).find("0 of 4 searches"), std::string::npos) << interrupted.what();
  }
}

TEST(RunSearches, ReportsProgressUpToTheEnd) {
  RuleEvaluator evaluator([](const Trial& trial) {
    const bool identity = trial.program.length() == 14 && trial.program.unique_depth() == 14;
    const int number = trial.example.back() - '0';
    return Outcome{.correct = number == 0 || (number == 1 && !identity)};
  });
  std::vector<SearchProgress> seen;
  const auto note = [&](const SearchProgress& progress) { seen.push_back(progress); };
  run_searches(examples(3), searched_space(), {.rollouts = 20, .leaves_per_round = 4, .stop_after_valid = 5}, evaluator,
               {.trees_in_step = 2, .progress = note});
  ASSERT_GE(seen.size(), 2u);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].rollouts_done, seen[i - 1].rollouts_done);
    EXPECT_GE(seen[i].searches_done, seen[i - 1].searches_done);
  }
  EXPECT_EQ(seen.front().rollouts_at_most, 60);
  EXPECT_EQ(seen.back().searches_done, 3);
  EXPECT_EQ(seen.back().rollouts_done, 8 + 8 + 20) << "two stop after the round with the fifth valid program";
  EXPECT_EQ(seen.back().rollouts_at_most, seen.back().rollouts_done);
  EXPECT_EQ(seen.back().identity_correct, 1);
  EXPECT_EQ(seen.back().solved, 2);
}

TEST(RunSearches, RefusesRepeatedExamplesAndBadSettings) {
  RuleEvaluator evaluator = model();
  const std::vector<task::ExampleId> twice{"a", "b", "a"};
  EXPECT_THROW(run_searches(twice, searched_space(), kOptions, evaluator), core::UsageError);
  EXPECT_THROW(run_searches(examples(1), searched_space(), kOptions, evaluator, {.trees_in_step = 0}),
               core::UsageError);
  EXPECT_THROW(run_searches(examples(1), searched_space(), {.rollouts = 0}, evaluator), core::UsageError);
}

TEST(RunSearches, OfNothingGivesNothing) {
  RuleEvaluator evaluator = model();
  EXPECT_TRUE(run_searches({}, searched_space(), kOptions, evaluator).empty());
}

TEST(RunSearches, RecordsNoOutcomeThatIsNotANumber) {
  RuleEvaluator evaluator([](const Trial&) { return Outcome{.margin = NAN}; });
  MemoryStore store(evaluator);
  EXPECT_THROW(run_searches(examples(2), searched_space(), kOptions, evaluator, {.recorder = &store}), core::Error);
  EXPECT_EQ(store.recorded(), 0u);
}

}  // namespace
}  // namespace polar::search
