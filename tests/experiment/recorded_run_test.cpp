#include "experiment/recorded_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "experiment/dataset.h"
#include "experiment/experiment.h"
#include "labels/sqlite.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

class RecordedRunTest : public test::TinyRunTest {
 protected:
  RecordedRunTest() { Experiment(config("run")).search(); }
};

TEST_F(RecordedRunTest, TakesSoManyExamplesOfEveryLevelOfTheSplitsAskedFor) {
  const RecordedRun all = read_recorded_run(run("run"), {});
  EXPECT_EQ(all.examples, all.store.registered_examples());
  EXPECT_EQ(all.registered().size(), 34U);
  const RecordedRun some = read_recorded_run(run("run"), {labels::Split::kValid, 2});
  EXPECT_EQ(some.examples.size(), 4U);
  for (const labels::StoredExample& example : some.examples) EXPECT_EQ(example.split, labels::Split::kValid);
  EXPECT_EQ(some.registered().size(), 34U) << "what the store's digest is over";
}

TEST_F(RecordedRunTest, LeavesOutExamplesThatWereNotSearchedYet) {
  Config half = config("part");
  half.search.algorithm = "guided";  // without a pilot, which every part searches
  Experiment(half).search({1, 2});
  const RecordedRun part = read_recorded_run(run("part"), {});
  EXPECT_EQ(part.examples.size(), 17U);
  EXPECT_EQ(part.registered().size(), 34U);
}

TEST_F(RecordedRunTest, IndependentExamplesAskAProblemOnceAndNoneOfThePilot) {
  Config made = config("asked");
  made.search.transfer_pilot = 3;
  const auto pilot = [&] { return pilot_examples(made, make_data(made).dataset); };
  std::set<task::ExampleId> piloted;
  for (const task::Example& example : pilot()) piloted.insert(example.id);
  std::vector<task::Example> rows = task::read_jsonl(folder_ / "train.jsonl");
  const auto asked_again = [&](bool in_pilot, const char* id) {
    task::Example row =
        *std::ranges::find_if(rows, [&](const task::Example& one) { return piloted.contains(one.id) == in_pilot; });
    const task::ExampleId first = std::exchange(row.id, id);
    rows.push_back(std::move(row));
    return first;
  };
  asked_again(true, "pilot again");
  const task::ExampleId once = asked_again(false, "twice");
  task::write_jsonl(folder_ / "train.jsonl", rows);
  for (const task::Example& example : pilot()) ASSERT_TRUE(piloted.contains(example.id)) << "drawn by hash of the id";
  Experiment(made).search();

  EXPECT_EQ(read_recorded_run(run("asked"), {}).examples.size(), 36U);
  RecordedChoice choice;
  choice.independent = true;
  std::set<task::ExampleId> judged;
  for (const labels::StoredExample& example : read_recorded_run(run("asked"), choice).examples)
    judged.insert(example.id);
  EXPECT_EQ(judged.size(), 36U - piloted.size() - 2);
  EXPECT_NE(judged.contains(once), judged.contains("twice"));
  EXPECT_FALSE(judged.contains("pilot again"));
  for (const task::ExampleId& id : piloted) EXPECT_FALSE(judged.contains(id)) << id;
}

TEST_F(RecordedRunTest, SaysWhereEverySearchedExampleIsOfThePilot) {
  RecordedChoice choice;
  choice.independent = true;
  choice.split = labels::Split::kTrain;
  Config piloted = config("piloted");
  piloted.search.transfer_pilot = 12;  // of each level: all of training
  Experiment(piloted).search();
  test::expect_parts(
      test::message_of<core::UsageError>([&] { read_recorded_run(run("piloted"), choice); }),
      {"labels.sqlite: expected recorded trials of more problems than those of the pilot", "search.transfer_pilot"});
}

TEST_F(RecordedRunTest, BelongsToTheFolderItIsReadFrom) {
  std::filesystem::rename(run("run"), folder_ / "moved");
  const RecordedRun moved = read_recorded_run(folder_ / "moved" / "", {});
  EXPECT_EQ(moved.config.name, "moved");
  EXPECT_EQ(std::filesystem::path(moved.config.runs_folder), folder_.path());
  EXPECT_EQ(moved.controls(), folder_ / "moved" / "controls");
}

TEST_F(RecordedRunTest, RefusesAnotherModelThanTheLabelsWereMadeOn) {
  test::write_tiny_pool(folder_ / "pool", {.depth = 8, .seed = 2});
  test::expect_parts(test::message_of<core::UsageError>([&] { read_recorded_run(run("run"), {}); }),
                     {"pool: expected the model of", "labels.sqlite", "found weights"});
}

TEST_F(RecordedRunTest, RefusesALevelNamedAsAllLevelsTogether) {
  labels::Database(run("run") / "labels.sqlite", labels::OpenMode::kWrite)
      .execute("UPDATE examples SET level = 'all' WHERE level = 'odd'", "testing");
  test::expect_parts(test::message_of<core::Error>([&] { read_recorded_run(run("run"), {}); }),
                     {"any name but 'all'", "rename it in the data set"});
}

}  // namespace
}  // namespace polar::experiment
