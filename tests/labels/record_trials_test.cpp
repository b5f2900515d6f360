#include "labels/record_trials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "core/error.h"
#include "support/label_fixture.h"
#include "support/message_of.h"

namespace polar::labels {
namespace {

using polar::test::RuleEvaluator;

/// Two programs, greedily and sampled, for every example.
std::vector<search::Trial> wanted_trials() {
  std::vector<search::Trial> trials;
  for (const StoredExample& example : test::some_examples()) {
    for (const core::Program& program : {core::Program{0, 1, 2}, core::Program{0, 2}}) {
      trials.push_back({example.id, program, {}});
      for (int index = 0; index < 3; ++index) trials.push_back({example.id, program, {0.7, index}});
    }
  }
  return trials;
}

search::Outcome outcome_of(const search::Trial& trial) {
  search::Outcome outcome = polar::test::arbitrary_outcome(trial, 0.4);
  outcome.correct ^= trial.sample.index == 2;
  return outcome;
}

class RecordedTrials : public ::testing::Test {
 protected:
  LabelStore open() {
    LabelStore store = LabelStore::open(lock_, "trials.sqlite", test::some_identity(), {"all", "answer", 7});
    store.add_examples(test::some_examples());
    return store;
  }

  /// The digests of all wanted trials, recorded undisturbed elsewhere.
  static LabelDigests undisturbed() {
    const test::TemporaryFolder folder;
    const RunLock lock(folder.path());
    LabelStore store = LabelStore::open(lock, "trials.sqlite", test::some_identity(), {"all", "answer", 7});
    store.add_examples(test::some_examples());
    RuleEvaluator evaluator(outcome_of);
    record_trials(store, wanted_trials(), evaluator);
    return store.digests();
  }

  test::TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
};

TEST_F(RecordedTrials, AreThoseThatTheStoreLacksEachOnce) {
  std::vector<search::Trial> wanted = wanted_trials();
  LabelStore store = open();
  EXPECT_EQ(missing_trials(store, wanted), wanted);
  std::vector<search::Trial> twice = {wanted[0], wanted[1], wanted[0]};
  EXPECT_EQ(missing_trials(store, twice).size(), 2U);
  RuleEvaluator evaluator(outcome_of);
  record_trials(store, std::span(wanted).first(2), evaluator);
  const std::vector<search::Trial> missing = missing_trials(store, wanted);
  EXPECT_EQ(missing, std::vector<search::Trial>(wanted.begin() + 2, wanted.end()));
  record_trials(store, missing, evaluator);
  EXPECT_TRUE(missing_trials(store, wanted).empty());
  EXPECT_EQ(store.state("a"), (SearchState{2, true}));
  EXPECT_EQ(store.digests().exact, undisturbed().exact);
}

TEST_F(RecordedTrials, GoOnAfterAnInterruptionAndEndAlike) {
  std::atomic<bool> stop{false};
  int evaluated = 0;
  RuleEvaluator evaluator([&](const search::Trial& trial) {
    if (++evaluated == 9) stop = true;  // in the second batch
    return outcome_of(trial);
  });
  const RecordOptions options{.trials_per_batch = 1, .progress = {}, .stop = &stop};
  {
    LabelStore store = open();
    test::message_of<core::Interrupted>([&] { record_trials(store, wanted_trials(), evaluator, options); });
    EXPECT_EQ(store.digests().trials, 16);
  }
  stop = false;
  LabelStore store = open();
  record_trials(store, missing_trials(store, wanted_trials()), evaluator, options);
  EXPECT_EQ(evaluated, 24);
  EXPECT_EQ(store.digests().exact, undisturbed().exact);
}

TEST_F(RecordedTrials, KeepTheBatchesBeforeAFailureAndNothingOfItsOwn) {
  LabelStore store = open();
  RuleEvaluator evaluator([&](const search::Trial& trial) {
    search::Outcome outcome = outcome_of(trial);
    if (trial.example == "c") outcome.margin = std::nan("");
    return outcome;
  });
  std::vector<std::int64_t> reported;
  const RecordOptions options{
      .trials_per_batch = 12, .progress = [&](std::int64_t trials) { reported.push_back(trials); }, .stop = nullptr};
  test::message_of<core::Error>([&] { record_trials(store, wanted_trials(), evaluator, options); });
  EXPECT_EQ(reported, (std::vector<std::int64_t>{16}));
  EXPECT_EQ(store.digests().trials, 16);
  EXPECT_EQ(store.state("c"), SearchState{});
}

}  // namespace
}  // namespace polar::labels
