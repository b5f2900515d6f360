#include "labels/store_first_evaluator.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "search/evaluator.h"
#include "search/run_searches.h"
#include "support/label_fixture.h"

namespace polar::labels {
namespace {

using core::Program;
using search::Outcome;
using search::Trial;
using namespace polar::test;

std::vector<Outcome> arbitrary(std::span<const Trial> trials) {
  std::vector<Outcome> outcomes;
  for (const Trial& trial : trials) outcomes.push_back(arbitrary_outcome(trial, 0.1));
  return outcomes;
}

TEST(StoreFirstEvaluator, PassesOnOnlyWhatIsMissing) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  LabelStore store = LabelStore::open(lock, "labels.sqlite", some_identity(), some_settings());
  store.add_examples(some_examples());
  const std::vector<Trial> known = {{"a", Program{0, 1}, {}}, {"a", Program{0, 2}, {}}, {"a", Program{0, 1}, {0.7, 1}}};
  store.record("a", 0, known, arbitrary(known));

  std::vector<Trial> asked;
  RuleEvaluator inner([&](const Trial& trial) {
    asked.push_back(trial);
    return arbitrary_outcome(trial, 0.1);
  });
  StoreFirstEvaluator evaluator(store, inner);
  const std::vector<Trial> trials = {{"c", Program{0, 1}, {}},
                                     known[1],
                                     {"a", Program{0, 3}, {}},
                                     known[2],
                                     known[0],
                                     {"a", Program{0, 1}, {0.7, 2}},
                                     {"unregistered", Program{0, 1}, {}}};
  EXPECT_EQ(evaluator.evaluate(trials), arbitrary(trials));
  EXPECT_EQ(asked, (std::vector<Trial>{trials[0], trials[2], trials[5], trials[6]}));
  EXPECT_EQ(evaluator.answered(), 3);

  asked.clear();
  EXPECT_EQ(evaluator.evaluate(known), arbitrary(known));
  EXPECT_TRUE(asked.empty());
}

TEST(StoreFirstEvaluator, RefusesAnInnerEvaluatorThatLosesOutcomes) {
  struct Losing final : search::Evaluator {
    std::vector<Outcome> evaluate(std::span<const Trial>) override { return {}; }
  } inner;
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  const LabelStore store = LabelStore::open(lock, "labels.sqlite", some_identity(), some_settings());
  StoreFirstEvaluator evaluator(store, inner);
  const std::vector<Trial> trials = {{"a", Program{0, 1}, {}}};
  EXPECT_THROW(evaluator.evaluate(trials), core::Error);
}

/// A search over many examples as a command runs it: registered, resumed from the store, recorded, marked as done.
struct ResumableSearch {
  static constexpr int kExamples = 12;

  std::vector<task::ExampleId> ids() const {
    std::vector<task::ExampleId> all;
    for (int i = 0; i < kExamples; ++i) all.push_back("example " + std::to_string(i));
    return all;
  }

  /// Runs to its end, or kills the process before evaluating trial number `kill_at`. Returns how many trials were
  /// evaluated.
  long run(const TemporaryFolder& folder, int trees_in_step, long kill_at = -1) const {
    const RunLock lock(folder.path());
    LabelStore store = LabelStore::open(lock, "labels.sqlite", some_identity(), some_settings());
    std::vector<StoredExample> examples;
    for (const task::ExampleId& id : ids()) examples.push_back({id, Split::kTrain, ""});
    store.add_examples(examples);
    long evaluated = 0;
    RuleEvaluator inner([&](const Trial& trial) {
      if (evaluated++ == kill_at) raise(SIGKILL);
      return arbitrary_outcome(trial, 0.1);
    });
    StoreFirstEvaluator evaluator(store, inner);
    search::SpaceOptions space_options;
    space_options.depth = 20;
    search::SearchOptions options;
    options.rollouts = 40;
    search::SearchRun settings;
    settings.root_seed = 7;
    settings.trees_in_step = trees_in_step;
    settings.recorder = &store;
    search::run_searches(ids(), search::SearchSpace(space_options), options, evaluator, settings);
    for (const task::ExampleId& id : ids()) store.mark_done(id);
    return evaluated;
  }
};

TEST(StoreFirstEvaluator, ASearchKilledAgainAndAgainEndsWithTheDigestsOfOneLeftAlone) {
  const ResumableSearch search;
  const TemporaryFolder alone;
  const long whole = search.run(alone, 64);
  const LabelDigests expected = LabelStore::read(alone / "labels.sqlite").digests();
  ASSERT_EQ(expected.trials, whole);

  const TemporaryFolder folder;
  const int trees_in_step[] = {1, 5, 3, 64};
  for (const int trees : trees_in_step) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      search.run(folder, trees, 97);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
  const long rest = search.run(folder, 7);
  EXPECT_LT(rest, whole) << "recorded rounds are not evaluated again";
  const LabelStore store = LabelStore::read(folder / "labels.sqlite");
  EXPECT_EQ(store.digests().verdicts, expected.verdicts);
  EXPECT_EQ(store.digests().exact, expected.exact);
  EXPECT_TRUE(store.state("example 3").done);
  EXPECT_EQ(search.run(folder, 2), 0) << "a finished search asks nothing";
}

}  // namespace
}  // namespace polar::labels
