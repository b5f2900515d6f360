#include "labels/check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "labels/import.h"
#include "labels/label_store.h"
#include "labels/sqlite.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using namespace polar::test;

class Check : public ::testing::Test {
 protected:
  void SetUp() override {
    LabelStore store = LabelStore::open(lock_, "labels.sqlite", some_identity(), some_settings());
    record_all(store, some_rounds());
  }
  std::vector<std::string> problems(const std::string& name = "labels.sqlite") const {
    std::vector<std::string> lines;
    const int count = check_labels(folder_ / name, [&](const std::string& line) { lines.push_back(line); });
    EXPECT_EQ(count, static_cast<int>(lines.size()));
    return lines;
  }
  /// The problems after a statement that no polar would run.
  std::vector<std::string> problems_after(const char* sql, const std::string& name = "labels.sqlite") const {
    Database(folder_ / name, OpenMode::kWrite).execute(sql, "test");
    return problems(name);
  }

  TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
};

TEST_F(Check, FindsNothingInAWholeStore) {
  EXPECT_TRUE(problems().empty());
  EXPECT_EQ(check_labels(folder_.path(), {}), 0) << "a run's folder stands for its labels";
}

TEST_F(Check, NamesADamagedPage) {
  std::string bytes = core::read_file(folder_ / "labels.sqlite");
  std::fill(bytes.end() - 4096, bytes.end(), '\xa5');
  core::write_file(folder_ / "labels.sqlite", bytes);
  const std::vector<std::string> lines = problems();
  ASSERT_FALSE(lines.empty());
}

TEST_F(Check, NamesAnIndexThatDoesNotMatchItsTable) {
  std::string bytes = core::read_file(folder_ / "labels.sqlite");
  const std::size_t program = bytes.find("0-1,5,9");  // in the table or its index, whichever comes first
  ASSERT_NE(program, std::string::npos);
  bytes[program + 6] = '8';
  core::write_file(folder_ / "labels.sqlite", bytes);
  const std::vector<std::string> lines = problems();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0].rfind("file: ", 0), 0u) << lines[0];
}

TEST_F(Check, NamesAMissingReference) {
  const std::vector<std::string> lines = problems_after("DELETE FROM examples WHERE id = 'c'");
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"table searches", "a row of examples"});
}

TEST_F(Check, NamesProgramsThatDoNotParseOrAreNotCanonical) {
  expect_parts(problems_after("UPDATE programs SET text = '5-3' WHERE key = 1").at(0), {"programs: row 1", "'5-3'"});
  const std::vector<std::string> lines = problems_after("UPDATE programs SET text = '0,1,2,9' WHERE key = 1");
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"expected the canonical notation '0-2,9', found '0,1,2,9'"});
}

TEST_F(Check, NamesALengthThatIsNotTheProgramsOwn) {
  const std::vector<std::string> lines =
      problems_after("UPDATE trials SET layers = 5 WHERE search = 2 AND round = 1 AND position = 2");
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"example 'a b', round 1, position 2", "layers: expected 4", "found 5"});
}

TEST_F(Check, NamesGapsInRoundsAndPositions) {
  std::vector<std::string> lines = problems_after("DELETE FROM trials WHERE search = 1 AND round = 2");
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"searches: example 'a'", "expected 3 rounds, found 2"});
  lines = problems_after("DELETE FROM trials WHERE search = 2 AND round = 1 AND position = 1");
  ASSERT_EQ(lines.size(), 2u);
  expect_parts(lines[1], {"example 'a b', round 1, position 2", "gap after round 1, position 0"});
  EXPECT_EQ(problems_after("DELETE FROM trials WHERE search = 3 AND round = 0").size(), 3u);
}

TEST_F(Check, NamesOutcomesThatCannotBe) {
  const std::vector<std::string> lines = problems_after(
      "UPDATE trials SET correct = 2, answer_final = -1, answer_log_prob = 0.5, answer_tokens = 0 WHERE search = 1 AND "
      "round "
      "= 0 AND position = 0");
  ASSERT_EQ(lines.size(), 4u);
  expect_parts(lines[0], {"correct: expected 0 or 1, found 2"});
  expect_parts(lines[1], {"answer_final"});
  expect_parts(lines[2], {"answer_log_prob: expected at most 0, found 0.5"});
  expect_parts(lines[3], {"answer_tokens"});
}

TEST_F(Check, NamesAProgramWithTwoOutcomes) {
  SearchSettings other = some_settings();
  other.text = "other";
  {
    LabelStore store = LabelStore::open(lock_, "labels.sqlite", some_identity(), other, {.new_search = true});
    record_all(store, some_rounds());
  }
  EXPECT_TRUE(problems().empty()) << "the same outcome twice is none";
  const std::vector<std::string> lines =
      problems_after("UPDATE trials SET margin = margin + 1 WHERE search = 4 AND round = 0 AND position = 3");
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"example 'a'", some_rounds()[0].trials[3].program.text(), "found several"});
}

TEST_F(Check, NamesSettingsOfAnotherDigestAndExamplesOfAnotherKind) {
  std::vector<std::string> lines = problems_after("UPDATE settings SET text = 'other'");
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"settings: row 1", some_settings().digest()});
  lines = problems_after("UPDATE examples SET split = 'test' WHERE id = 'c'");
  expect_parts(lines.at(1), {"examples: 'c'", "found split test"});
}

TEST_F(Check, RefusesWhatIsNoStore) {
  core::write_file(folder_ / "text", std::string(5000, 'x'));
  expect_parts(message_of<core::Error>([&] { problems("text"); }), {"text", "not a label store"});
  EXPECT_THROW(problems("none"), core::Error);
}

TEST_F(Check, ChecksImportedLabels) {
  const char* const kStore = "imported.sqlite";
  const std::string sample = R"({"question": "1+1?", "gt_ans": "2", "initial_score": 1, "final_valid_transitions":
                               [[0, 1, 2, 3]], "final_invalid_transitions": [[0, 3]]})";
  core::write_file(folder_ / "file.json", "[" + sample + "]");
  {
    ImportedLabels imported = ImportedLabels::open(lock_, kStore, {4, "", ""});
    import_file(imported, folder_ / "file.json", SampleJoin({}));
  }
  EXPECT_TRUE(problems(kStore).empty());
  EXPECT_TRUE(problems_after("UPDATE examples SET initial_score = NULL", kStore).empty());
  std::vector<std::string> lines = problems_after("UPDATE examples SET initial_score = 0", kStore);
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"initial score of 0", "expected it among the invalid programs, found it among the valid"});
  lines = problems_after("UPDATE sources SET complete = 0; UPDATE programs SET layers = 3 WHERE text = '0-3'", kStore);
  ASSERT_EQ(lines.size(), 3u);
  expect_parts(lines[0], {"programs: 0-3: layers: expected 4", "found 3"});
  expect_parts(lines[2], {"sources: file.json", "import it again"});
  lines = problems_after("UPDATE programs SET text = '0,4' WHERE text = '0,3'", kStore);
  expect_parts(lines.at(1), {"programs: 0,4: expected layers from 0 to 3, found 4"});
}

}  // namespace
}  // namespace polar::labels
