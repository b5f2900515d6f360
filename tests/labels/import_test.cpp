#include "labels/import.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "labels/label_store.h"
#include "labels/sqlite.h"
#include "support/faulty_vfs.h"
#include "support/killed.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using core::Program;
using namespace polar::test;

constexpr const char* kStore = "imported.sqlite";
const ImportedIdentity kFourLayers = {4, "pool A", "w1"};

std::vector<task::Example> some_rows() {
  std::vector<task::Example> rows(3);
  const char* const kQuestions[] = {"1+1?", "2+2?", "3+3?"};
  const char* const kAnswers[] = {"2", "4", "6"};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].id = "q" + std::to_string(i);
    rows[i].question = kQuestions[i];
    rows[i].answer = kAnswers[i];
    rows[i].level = i == 2 ? "hard" : "easy";
  }
  return rows;
}

std::string sample(const std::string& head, const std::string& valid = "[[0, 1, 3]]",
                   const std::string& invalid = "[]") {
  return "{" + head + ", \"final_valid_transitions\": " + valid + ", \"final_invalid_transitions\": " + invalid + "}";
}

class Import : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& text, const std::string& name = "file.json") {
    core::write_file(folder_ / name, text);
    return folder_ / name;
  }
  ImportedSource take(const std::filesystem::path& path, const ImportOptions& options = {}) {
    ImportedLabels labels = ImportedLabels::open(lock_, kStore, kFourLayers);
    return import_file(labels, path, SampleJoin(rows_), options);
  }
  ImportedLabels imported() const { return ImportedLabels::read(folder_ / kStore); }

  TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
  std::vector<task::Example> rows_ = some_rows();
};

TEST_F(Import, JoinsByQuestionAndTakesAnswerAndLevelFromTheData) {
  const ImportedSource source = take(file(
      "[" + sample(R"("question": "1+1?", "gt_ans": "2", "initial_score": 1)", "[[0, 1, 2, 3], [0, 2, 3]]", "[[3]]") +
      "]"));
  EXPECT_EQ(std::tuple(source.samples, source.programs, source.duplicates, source.problems, source.complete),
            (std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, bool>(1, 3, 0, 0, true)));
  EXPECT_EQ(imported().examples(), (std::vector<ImportedExample>{{{"q0", Split::kTrain, "easy"}, "1+1?", "2", 1}}));
  EXPECT_EQ(imported().trials("q0"),
            (std::vector<ImportedTrial>{{Program{3}, false}, {Program{0, 2, 3}, true}, {Program::identity(4), true}}));
  EXPECT_EQ(imported().level_counts(),
            (std::vector<LevelCount>{{Split::kTrain, "easy", 1, 0, 1, 3, 2, 1, 1, 0, 0, 3}}));
}

TEST_F(Import, CountsABaseThatIsRightAsAValidProgramThatNeedNotBeListed) {
  take(file("[" + sample(R"("question": "1+1?", "initial_score": 1)", "[[0, 1, 2, 3, 2, 3]]", "[]") + "," +
            sample(R"("question": "2+2?", "initial_score": 0)", "[[0, 1, 2, 3, 2, 3]]", "[]") + "]"));
  std::int64_t layers = 0;
  for (const LevelCount& level : imported().level_counts()) layers += level.shortest_layers;
  EXPECT_EQ(layers, 4 + 6);
}

TEST_F(Import, JoinsIdsOnlyFilesByIdThenByRow) {
  take(file("[" + sample(R"("query_id": "q2")") + "," + sample(R"("sample_id": "q1")") + "," +
            sample(R"("global_idx": 0)") + "]"));
  std::vector<std::string> ids;
  for (const ImportedExample& example : imported().examples()) ids.push_back(example.example.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"q2", "q1", "q0"}));
}

TEST_F(Import, OfRowsWithOneQuestionTakesTheOneWithTheId) {
  rows_[2].question = rows_[1].question;
  take(file("[" + sample(R"("question": "2+2?", "id": "q2")") + "," + sample(R"("question": "2+2?")") + "]"));
  EXPECT_EQ(imported().examples().at(0).example.id, "q2");
  EXPECT_EQ(imported().examples().at(1).example.id, "q1");
}

TEST_F(Import, LeavesOutASampleWhoseIdsNameDifferentRows) {
  rows_[2].question = rows_[1].question;
  take(file("[" + sample(R"("query_id": "q2", "sample_id": "q0")") + "," +
            sample(R"("question": "2+2?", "id": "q1", "query_id": "q2")") + "," +
            sample(R"("question": "1+1?", "id": "q1", "sample_id": "q2")") + "]"));
  ASSERT_EQ(imported().examples().size(), 1u) << "the question alone says which row it is";
  EXPECT_EQ(imported().examples()[0].example.id, "q0");
  const std::vector<std::string> problems = imported().problems();
  ASSERT_EQ(problems.size(), 4u);
  expect_parts(problems[0], {"sample 0: sample: expected ids of one row of the data, found those of 'q2' and 'q0'"});
  expect_parts(problems[1], {"sample 0: programs: 1 programs were left out"});
  expect_parts(problems[2], {"sample 1: sample: expected one row of this question, found the ids of 'q1' and 'q2'"});
}

TEST_F(Import, LeavesOutARowFoundByIdWithAnotherAnswer) {
  take(file("[" + sample(R"("sample_id": "q0", "gt_ans": "3")") + "," + sample(R"("global_idx": 1, "gt_ans": "3")") +
            "," + sample(R"("id": "q2", "gt_ans": "6")") + "]"));
  ASSERT_EQ(imported().examples().size(), 1u);
  EXPECT_EQ(imported().examples()[0].example.id, "q2");
  ASSERT_EQ(imported().problems().size(), 4u);
  expect_parts(imported().problems()[0], {"sample 0: answer: expected '2'", "found '3'", "ids may be of other data"});
}

TEST_F(Import, TakesTheSplitOfTheFileBeforeTheOneAskedFor) {
  const std::string text = "[" + sample(R"("question": "1+1?", "split": "test")") + "," +
                           sample(R"("question": "2+2?", "split": "valid")") + "," + sample(R"("question": "3+3?")") +
                           "]";
  const auto splits = [&](const ImportOptions& options, const char* store) {
    ImportedLabels labels = ImportedLabels::open(lock_, store, kFourLayers);
    import_file(labels, file(text), SampleJoin(rows_), options);
    std::vector<Split> found;
    for (const ImportedExample& example : labels.examples()) found.push_back(example.example.split);
    return std::pair(found, labels.problems());
  };
  EXPECT_EQ(splits({}, "default.sqlite"), (std::pair<std::vector<Split>, std::vector<std::string>>(
                                              {Split::kTest, Split::kValid, Split::kTrain}, {})));
  const auto [found, problems] = splits({.split = Split::kValid}, "asked.sqlite");
  EXPECT_EQ(found, (std::vector<Split>{Split::kTest, Split::kValid, Split::kValid}));
  ASSERT_EQ(problems.size(), 1u);
  expect_parts(problems[0], {"sample 0: split: expected 'valid' as asked for", "found 'test'"});
}

TEST_F(Import, RefusesAFileAgainWithOtherDataOrAnotherSplit) {
  const auto path = file("[" + sample(R"("question": "1+1?")") + "]");
  take(path);
  expect_parts(message_of<core::UsageError>([&] { take(path, {.split = Split::kTest}); }),
               {kStore, "file.json: imported before", "--data, --split", "a new file (--out)"});
  EXPECT_NO_THROW(take(path, {.split = Split::kTrain}));  // as by default
  rows_[1].answer = "5";
  EXPECT_THROW(take(path), core::UsageError);
}

TEST_F(Import, RecordsSamplesOfUnknownExamplesAsProblems) {
  std::vector<std::string> met;
  ImportOptions options;
  options.on_problem = [&](const ImportProblem& problem) { met.push_back(to_string(problem)); };
  const ImportedSource source =
      take(file("[" + sample(R"("question": "9+9?")") + "," + sample(R"("id": "q9")", "[]") + "," +
                sample(R"("level": "x")") + "," + sample(R"("question": "1+1?", "gt_ans": "3")") + "]"),
           options);
  EXPECT_EQ(source.programs, 1);
  ASSERT_EQ(met.size(), 6u);
  expect_parts(met[0], {"sample 0: sample: expected a question of the data, found '9+9?'"});
  expect_parts(met[1], {"sample 0: programs: 1 programs were left out"});
  expect_parts(met[2], {"sample 1: sample: expected an id of the data, found 'q9'"});
  expect_parts(met[3], {"sample 2", "found neither"});
  expect_parts(met[5], {"sample 3: answer: expected '2' as in row 'q0' of the data, found '3'"});
  const std::vector<std::string> kept = imported().problems();
  ASSERT_EQ(kept.size(), met.size());
  for (std::size_t i = 0; i < met.size(); ++i) EXPECT_EQ(kept[i], "file.json: " + met[i]);
}

TEST_F(Import, WithoutDataNamesExamplesByIdOrQuestion) {
  rows_.clear();
  take(file("[" + sample(R"("question": "1+1?", "gt_ans": "2", "id": "mine", "level": 3)") + "," +
            sample(R"("question": "2+2?", "gt_ans": "4", "sample_id": 0)") + "," + sample(R"("sample_id": 7)") + "]"));
  const std::vector<ImportedExample> examples = imported().examples();
  ASSERT_EQ(examples.size(), 2u);
  EXPECT_EQ(examples[0], (ImportedExample{{"mine", Split::kTrain, "3"}, "1+1?", "2", std::nullopt}));
  EXPECT_EQ(examples[1].example.id.rfind("question-", 0), 0u);
  EXPECT_EQ(examples[1].example.id.size(), 25u);
  EXPECT_EQ(imported().problems().size(), 2u);
}

TEST_F(Import, CountsDuplicatesAndReportsContradictions) {
  const ImportedSource source =
      take(file("[" + sample(R"("question": "1+1?", "initial_score": 1)", "[[0, 1], [0, 1], [2, 3]]", "[[2, 3], [3]]") +
                "," + sample(R"("question": "1+1?", "initial_score": 0)", "[[0, 1]]") + "]"));
  EXPECT_EQ(source.programs, 3);
  EXPECT_EQ(source.duplicates, 2);
  const std::vector<std::string> problems = imported().problems();
  ASSERT_EQ(problems.size(), 2u);
  expect_parts(problems[0], {"sample 0: program 2-3", "'q0'", "before as valid", "found invalid"});
  expect_parts(problems[1], {"sample 1: initial_score", "with '1'", "found '0'"});
}

TEST_F(Import, LeavesOutAnotherQuestionUnderAKnownId) {
  rows_.clear();
  take(file("[" + sample(R"("question": "1+1?", "gt_ans": "2", "id": "x")") + "," +
            sample(R"("question": "2+2?", "gt_ans": "4", "id": "x")", "[[0], [1]]") + "]"));
  EXPECT_EQ(imported().trials("x").size(), 1u);
  ASSERT_EQ(imported().problems().size(), 2u);
  expect_parts(imported().problems()[1], {"sample 1: programs: 2 programs were left out"});
}

TEST_F(Import, TakesAFileOnceWhateverItsName) {
  const std::string text = "[" + sample(R"("question": "1+1?")") + "]";
  take(file(text));
  const LabelDigests digests = imported().digests();
  const ImportedSource again = take(file(text, "copy.json"));
  EXPECT_EQ(again.programs, 1);
  EXPECT_EQ(again.duplicates, 0);
  EXPECT_EQ(imported().sources().size(), 1u);
  EXPECT_EQ(imported().digests().verdicts, digests.verdicts);
}

TEST_F(Import, AddsShardsToOneStoreAndKeepsAShortOneAsAProblem) {
  take(file("[" + sample(R"("question": "1+1?")") + "]", "0_1.json"));
  const ImportedSource second = take(file("[" + sample(R"("question": "2+2?")") + "]", "1_3.json"));
  EXPECT_EQ(second.problems, 1);
  expect_parts(imported().problems().at(0), {"1_3.json: 1_3.json: expected 2 samples, as its name says, found 1"});
  EXPECT_EQ(imported().examples().size(), 2u);
}

TEST_F(Import, RefusesAnotherModelAndForeignStores) {
  take(file("[]"));
  expect_parts(message_of<core::UsageError>([&] { ImportedLabels::open(lock_, kStore, {5, "", "w1"}); }),
               {kStore, "layers", "'4'", "'5'"});
  expect_parts(message_of<core::UsageError>([&] { ImportedLabels::open(lock_, kStore, {4, "", "w2"}); }),
               {"pool weights", "'w1'", "'w2'"});
  {
    LabelStore::open(lock_, "labels.sqlite", some_identity(), some_settings());
  }
  expect_parts(message_of<core::Error>([&] { ImportedLabels::read(folder_ / "labels.sqlite"); }),
               {"labels.sqlite", "expected imported labels", "kind 'labels'"});
  expect_parts(message_of<core::Error>([&] { LabelStore::read(folder_ / kStore); }),
               {kStore, "found imported ones", "rejudge"});
  Database(folder_ / kStore, OpenMode::kWrite)
      .execute("UPDATE about SET value = '9' WHERE key = 'schema_version'", "test");
  expect_parts(message_of<core::Error>([&] { imported(); }), {"schema version 9", "Expected version 2"});
}

TEST_F(Import, ReadsWithoutWriting) {
  take(file("[]"));
  ImportedLabels labels = imported();
  expect_parts(message_of<core::Error>([&] { labels.source("x", "y", "z"); }), {"opened for reading"});
  EXPECT_THROW(labels.add({}, {}), core::Error);
}

TEST_F(Import, StopsWhenAskedToAndGoesOn) {
  std::string text = "[" + sample(R"("question": "1+1?")");
  for (int i = 0; i < 5; ++i) text += "," + sample(R"("question": "2+2?")", fmt::format("[[0, {}]]", i % 4));
  const auto path = file(text + "]");
  const std::atomic<bool> stop = true;
  EXPECT_THROW(take(path, {.programs_per_transaction = 2, .stop = &stop}), core::Interrupted);
  EXPECT_EQ(imported().sources().at(0).samples, 2);
  EXPECT_FALSE(imported().sources().at(0).complete);
  EXPECT_EQ(take(path).samples, 6);
}

/// Samples with everything that is counted: programs, duplicates and problems.
std::string long_file() {
  std::string text = "{\"samples\": [";
  for (int i = 0; i < 12; ++i) {
    text +=
        (i == 0 ? "" : ",") + sample(fmt::format(R"("question": "{}+{}?", "initial_score": {})", i % 4, i % 4, i % 2),
                                     fmt::format("[[0, {}], [{}, 9], [1]]", i % 4, i), fmt::format("[[{}, 3]]", i % 3));
  }
  return text + "]}";
}

TEST_F(Import, KilledBeforeAnyStatementGoesOnToTheSameDigestAndCounts) {
  const auto path = file(long_file());
  const ImportOptions options{.programs_per_transaction = 5};
  const ImportedSource expected = take(path, options);
  EXPECT_GT(expected.problems, 12);
  int killed = 0;
  for (long statements = 0; statements < 230; statements += 13) {
    const TemporaryFolder out;
    const auto run = [&] {
      const RunLock lock(out.path());
      ImportedLabels labels = ImportedLabels::open(lock, kStore, kFourLayers);
      return import_file(labels, path, SampleJoin(rows_), options);
    };
    killed += is_killed([&] {
      KillBeforeStatement::arm(statements);
      run();
    });
    EXPECT_EQ(run(), expected) << statements;
    const ImportedLabels labels = ImportedLabels::read(out / kStore);
    EXPECT_EQ(labels.digests().verdicts, imported().digests().verdicts);
    EXPECT_EQ(labels.problems(), imported().problems());
  }
  EXPECT_GE(killed, 10);
}

TEST_F(Import, AFullDiskKeepsWhatWasCommittedAndGoesOn) {
  const auto path = file(long_file());
  const ImportOptions options{.programs_per_transaction = 5};
  const ImportedSource expected = take(path, options);
  FaultyVfs::install();
  for (long writes = 0; writes < 60; writes += 11) {
    const TemporaryFolder out;
    const RunLock lock(out.path());
    const auto run = [&] {
      ImportedLabels labels = ImportedLabels::open(lock, kStore, kFourLayers, FaultyVfs::kName);
      return import_file(labels, path, SampleJoin(rows_), options);
    };
    FaultyVfs::arm(FaultyVfs::Fault::kDiskFull, writes);
    expect_parts(message_of<core::Error>(run), {kStore, "disk is full"});
    FaultyVfs::disarm();
    EXPECT_EQ(run(), expected);
  }
}

}  // namespace
}  // namespace polar::labels
