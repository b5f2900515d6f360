#include "experiment/algorithm_bench.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "core/file.h"
#include "experiment/dataset.h"
#include "labels/label_store.h"
#include "support/message_of.h"
#include "support/tiny_run.h"
#include "task/arithmetic.h"

namespace polar::experiment {
namespace {

/// A tiny model and forty questions of two levels.
class AlgorithmBenchTest : public test::TinyRunTest {
 protected:
  AlgorithmBenchTest() : config_(config("bench")) {
    for (const char* split : {"train", "valid", "test"}) write_rows(split, 40, "");
    config_.search.transfer_pilot = 8;
  }

  AlgorithmBenchOptions options() const {
    return {.algorithms = {"guided", "authors", "random", "transfer", "exhaustive"},
            .rollouts = {12, 6},
            .examples_per_level = 3,
            .exhaustive_edits = 1,
            .folder = folder_ / "out"};
  }

  std::vector<AlgorithmRow> run(const AlgorithmBenchOptions& wanted) const {
    return AlgorithmBench(config_, wanted).run();
  }

  Config config_;
};

TEST_F(AlgorithmBenchTest, SearchesTheSameExamplesByEveryAlgorithmAndWritesTheTables) {
  const std::vector<AlgorithmRow> rows = run(options());
  int exhaustive = 0;
  for (const AlgorithmRow& row : rows) {
    EXPECT_EQ(row.examples, row.level == "all" ? 6 : 3);
    exhaustive += row.algorithm == "exhaustive" ? 1 : 0;
    EXPECT_TRUE(row.algorithm == "exhaustive" || row.rollouts == 6 || row.rollouts == 12);
  }
  EXPECT_EQ(exhaustive, 3);
  EXPECT_EQ(rows.size(), 4U * 2 * 3 + 3);
  for (const char* file : {"algorithms.csv", "algorithms.md", "outcomes.csv", "outcomes.sqlite"})
    EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / file)) << file;
}

TEST_F(AlgorithmBenchTest, GoesOnWithWhatItHasRecordedAndEndsTheSame) {
  run(options());
  const std::string whole = core::read_file(folder_ / "out" / "algorithms.csv");
  // As if it had been stopped after two algorithms.
  AlgorithmBenchOptions first = options();
  first.folder = folder_ / "parts";
  first.algorithms = {"guided", "transfer"};
  run(first);
  AlgorithmBenchOptions all = options();
  all.folder = first.folder;
  run(all);
  EXPECT_EQ(core::read_file(folder_ / "parts" / "algorithms.csv"), whole);
  run(all);
  EXPECT_EQ(core::read_file(folder_ / "parts" / "algorithms.csv"), whole);
}

TEST_F(AlgorithmBenchTest, ExhaustsTheSpaceWhateverTheOthersLookFor) {
  config_.search.objective = "first";
  config_.search.stop_after_valid = 1;
  config_.search.minimise = "edits";
  AlgorithmBenchOptions wanted = options();
  wanted.algorithms = {"random", "exhaustive"};
  wanted.examples_per_level = 0;
  wanted.exhaustive_edits = 2;
  int solved = 0;
  for (const AlgorithmRow& row : run(wanted)) {
    if (row.algorithm != "exhaustive") continue;
    EXPECT_EQ(row.rollouts_used, row.rollouts);
    solved += row.solved;
  }
  EXPECT_GT(solved, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "outcomes.csv"));
}

TEST_F(AlgorithmBenchTest, StartsTransferFromAPilotOfTheConfigurationsBudget) {
  AlgorithmBenchOptions wanted = options();
  wanted.algorithms = {"transfer"};
  const std::string both = algorithms_csv(run(wanted));
  wanted.folder = folder_ / "small";
  wanted.rollouts = {6};
  const std::string small = algorithms_csv(run(wanted));
  EXPECT_EQ(both.substr(0, small.size()), small) << "a smaller budget makes a prefix";
  const std::string drawn = slice_levels(make_data(config_).dataset.train, 0, 8).front().id;
  const auto pilot = labels::LabelStore::read(folder_ / "small" / "outcomes.sqlite").reusable_trials(drawn);
  EXPECT_EQ(pilot.size(), 12U);
}

TEST_F(AlgorithmBenchTest, AsksEachProblemOnceThePilotsIncluded) {
  config_.task.kind = "arithmetic";
  config_.task.train_file = config_.task.valid_file = config_.task.test_file = "";
  config_.task.levels = {"one-digit sums"};
  config_.task.train_per_level = config_.task.valid_per_level = config_.task.test_per_level = 100;
  config_.search.transfer_pilot = 5;
  AlgorithmBenchOptions wanted = options();
  wanted.algorithms = {"transfer"};
  wanted.examples_per_level = 0;
  run(wanted);
  std::set<std::string> problems;
  const auto asked = labels::LabelStore::read(folder_ / "out" / "outcomes.sqlite").registered_examples();
  for (const labels::StoredExample& example : asked) problems.insert(*task::normalised_operands(example.id));
  EXPECT_GT(asked.size(), 5U);
  EXPECT_EQ(problems.size(), asked.size());
  EXPECT_LT(asked.size(), make_data(config_).dataset.train.size());
}

TEST_F(AlgorithmBenchTest, TunesOnValidationExamples) {
  AlgorithmBenchOptions wanted = options();
  wanted.algorithms = {"random"};
  wanted.validation = true;
  run(wanted);
  for (const labels::StoredExample& example :
       labels::LabelStore::read(folder_ / "out" / "outcomes.sqlite").registered_examples())
    EXPECT_EQ(example.id.substr(0, 5), "valid");
}

TEST_F(AlgorithmBenchTest, RefusesAlgorithmsAndBudgetsThatMakeNoSense) {
  AlgorithmBenchOptions wrong = options();
  wrong.algorithms = {"guided", "magic"};
  EXPECT_THROW(run(wrong), core::UsageError);
  wrong.algorithms = {"guided", "guided"};
  const auto message = test::message_of<core::UsageError>([&] { run(wrong); });
  EXPECT_NE(message.find("found guided again"), std::string::npos) << message;
  wrong = options();
  wrong.exhaustive_edits = 8;
  config_.search.max_depth = 4;
  config_.search.max_extra_repeats = 16;
  const auto space = test::message_of<core::UsageError>([&] { run(wrong); });
  EXPECT_TRUE(space.starts_with(
      "--exhaustive-edits: expected a space that can be counted, of at most 1000000 programs, found "))
      << space;
  wrong = options();
  wrong.rollouts = {0};
  EXPECT_THROW(run(wrong), core::UsageError);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

}  // namespace
}  // namespace polar::experiment
