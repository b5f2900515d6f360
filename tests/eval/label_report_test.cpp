#include "eval/label_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "support/temporary_folder.h"

namespace polar::eval {
namespace {

const std::vector<LabelFigure> kFigures = {
    {"base", "all", "a, b", "right", 4, 0.25, 0.1, 0.5},
    {"solved", "all", "a, b", "any", 4, 0.75, 0.5, 0.9},
    {"cover", "all", "a, b", "1", 4, 0.5, 0.2, 0.8, "0-2,4-9"},
    {"base", "all", "all", "right", 4, 0.25, 0.1, 0.5},
    {"solved", "all", "all", "any", 4, 0.75, 0.5, 0.9},
    {"counts", "all", "all", "rollouts", 4, 128},
    {"cover", "all", "all", "1", 4, 0.5, 0.2, 0.8, "0-2,4-9"},
    {"solved", "skip_only", "all", "any", 4, 0.5, 0.2, 0.8},
    {"solved", "search:skip", "all", "any", 4, 0.625, 0.2, 0.8},
};

TEST(LabelReport, WritesOneCsvLineAFigure) {
  const std::string csv = labels_csv(kFigures);
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "analysis,set,level,key,n,value,ci_low,ci_high,note");
  EXPECT_NE(csv.find("\ncover,all,\"a, b\",1,4,0.5,0.2,0.8,\"0-2,4-9\"\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find("\ncounts,all,all,rollouts,4,128,,,\n"), std::string::npos) << csv;
}

TEST(LabelReport, WritesTheSameFiguresAsJson) {
  const auto rows = nlohmann::json::parse(labels_json(kFigures));
  ASSERT_EQ(rows.size(), kFigures.size());
  EXPECT_EQ(rows[2].at("note"), "0-2,4-9");
  EXPECT_EQ(rows[2].at("value"), 0.5);
  EXPECT_TRUE(rows[5].at("ci_low").is_null());
}

TEST(LabelReport, PutsSetsSideBySideAndLevelsAcross) {
  const std::string text = labels_markdown(kFigures, "Labels of x");
  EXPECT_EQ(text.rfind("# Labels of x\n", 0), 0U);
  EXPECT_NE(
      text.find("| level | examples | base | every program | skip only, of this search | skip (search of its own) |"),
      std::string::npos)
      << text;
  EXPECT_NE(
      text.find("| all levels | 4 | 25.0 [10.0, 50.0] | 75.0 [50.0, 90.0] | 50.0 [20.0, 80.0] | 62.5 [20.0, 80.0] |"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("|  | a, b | all levels |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 1: `0-2,4-9` | 50.0 [20.0, 80.0] | 50.0 [20.0, 80.0] |"), std::string::npos) << text;
  EXPECT_NE(text.find("| rollouts | – | 128 |"), std::string::npos) << text;
}

TEST(LabelReport, PrintsOneLineOrOneALevel) {
  const std::string brief = labels_console(kFigures, false);
  EXPECT_EQ(brief.find("a, b"), std::string::npos) << brief;
  EXPECT_NE(brief.find("search:skip"), std::string::npos) << brief;
  EXPECT_NE(brief.find("62.5"), std::string::npos) << brief;
  EXPECT_NE(labels_console(kFigures, true).find("\na, b"), std::string::npos);
}

TEST(LabelReport, WritesBothFiles) {
  const test::TemporaryFolder folder;
  write_labels(folder.path() / "report", "labels-test", kFigures, "Labels of x");
  EXPECT_EQ(core::read_file(folder.path() / "report/labels-test.csv"), labels_csv(kFigures));
  EXPECT_EQ(core::read_file(folder.path() / "report/labels-test.md"), labels_markdown(kFigures, "Labels of x"));
}

}  // namespace
}  // namespace polar::eval
