#include "labels/export.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "labels/import.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using core::Program;
using nlohmann::json;
using namespace polar::test;

class Export : public ::testing::Test {
 protected:
  LabelStore store() { return LabelStore::open(lock_, "labels.sqlite", some_identity(), some_settings()); }

  /// Example "a": identity of three layers wrong, one shorter and one longer program right, one sampled.
  void record_example() {
    LabelStore labels = store();
    labels.add_examples(some_examples());
    const std::vector<search::Trial> trials = {{"a", Program::identity(3), {}}, {"a", Program{0, 1, 1, 2}, {}},
                                               {"a", Program{0, 2}, {}},        {"a", Program{1}, {}},
                                               {"a", Program{1}, {}},           {"a", Program{2}, {0.7, 0}}};
    std::vector<search::Outcome> outcomes;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      outcomes.push_back({i == 1 || i == 2 || i == 5, -1, 1, 0, trials[i].program.length(), "x", true});
    }
    labels.record("a", 0, trials, outcomes);
  }

  static std::vector<task::Example> rows() {
    std::vector<task::Example> rows(3);
    const char* const kIds[] = {"c", "a b", "a"};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].id = kIds[i];
      rows[i].question = "question “" + rows[i].id + "”";
      rows[i].answer = "answer " + rows[i].id;
      rows[i].level = "sums";
    }
    return rows;
  }

  TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
};

TEST_F(Export, WritesTheFirstLayoutWithValidProgramsMostOptimalFirst) {
  record_example();
  const ExportReport report = export_labels(store(), rows(), folder_ / "out.json");
  EXPECT_EQ(report.samples, 1);
  EXPECT_EQ(report.programs, 4);
  EXPECT_EQ(report.examples_left_out, 2);
  EXPECT_EQ(report.sampled_left_out, 1);
  EXPECT_EQ(json::parse(core::read_file(folder_ / "out.json")), json::parse(R"({"samples": [
    {"id": "a", "split": "train", "level": "sums", "question": "question “a”", "gt_ans": "answer a", "initial_score": 0.0,
     "final_valid_transitions": [[0, 2], [0, 1, 1, 2]], "final_invalid_transitions": [[0, 1, 2], [1]]}]})"));
}

TEST_F(Export, IsReadBackByImportPlainAndCompressed) {
  record_example();
  const std::vector<task::Example> data = rows();
  std::vector<std::string> digests;
  for (const char* name : {"out.json", "out.json.gz"}) {
    export_labels(store(), data, folder_ / name);
    const TemporaryFolder out;
    const RunLock lock(out.path());
    ImportedLabels imported = ImportedLabels::open(lock, "imported.sqlite", {3, "", ""});
    const ImportedSource source = import_file(imported, folder_ / name, SampleJoin(data));
    EXPECT_EQ(source.programs, 4);
    EXPECT_EQ(source.problems, 0);
    EXPECT_EQ(imported.examples().at(0).initial_score, 0);
    EXPECT_EQ(
        imported.trials("a"),
        (std::vector<ImportedTrial>{
            {Program{1}, false}, {Program{0, 2}, true}, {Program::identity(3), false}, {Program{0, 1, 1, 2}, true}}));
    digests.push_back(imported.digests().verdicts);
    export_labels(imported, folder_ / "again.json");
    const json first = json::parse(core::read_file(folder_ / "out.json")).at("samples").at(0);
    const json again = json::parse(core::read_file(folder_ / "again.json")).at("samples").at(0);
    for (const char* field : {"id", "level", "question", "gt_ans", "initial_score", "final_valid_transitions"}) {
      EXPECT_EQ(again.at(field), first.at(field)) << field;
    }
  }
  EXPECT_EQ(digests[0], digests[1]);
}

TEST_F(Export, LeavesTheInitialScoreOpenWhereTheIdentityWasNotRun) {
  {
    LabelStore labels = store();
    labels.add_examples(some_examples());
    const std::vector<search::Trial> trials = {{"c", Program{0, 2}, {}}};
    labels.record("c", 0, trials, std::vector<search::Outcome>{{true, -1, 1, 0, 2, "x", true}});
  }
  export_labels(store(), rows(), folder_ / "out.json");
  EXPECT_TRUE(json::parse(core::read_file(folder_ / "out.json")).at("samples").at(0).at("initial_score").is_null());
}

TEST_F(Export, NamesAnExampleWithoutTextAndTextThatIsNotUtf8) {
  record_example();
  core::write_file(folder_ / "out.json", "old");
  std::vector<task::Example> data = rows();
  data.pop_back();
  expect_parts(message_of<core::Error>([&] { export_labels(store(), data, folder_ / "out.json"); }),
               {"labels.sqlite", "example 'a'", "its question in the data"});
  data = rows();
  data[2].question = "\xff";
  expect_parts(message_of<core::Error>([&] { export_labels(store(), data, folder_ / "out.json"); }),
               {"out.json", "example 'a'", "UTF-8"});
  EXPECT_EQ(core::read_file(folder_ / "out.json"), "old");
}

}  // namespace
}  // namespace polar::labels
