#include "eval/control_report.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "eval/label_report.h"
#include "support/temporary_folder.h"

namespace polar::eval {
namespace {

const ControlReport kReport{"luck",
                            "Luck of x",
                            "What luck explains.",
                            {{"counts", "all", "a|b", "examples", 4, 4},
                             {"solved", "all", "a|b", "observed", 4, 0.25, 0.1, 0.5, "no chance figure"},
                             {"counts", "all", "all", "examples", 9, 9},
                             {"solved", "all", "all", "observed", 9, 0.5, 0.25, 0.75},
                             {"solved", "all", "all", "chance", 7, 0.125},
                             {"p_value", "all", "all", "observed", 9, 0.03125},
                             {"counts", "all", "c", "examples", 5, 5}}};

TEST(ControlReport, HasATableAnAnalysisWithLevelsDownAndKeysAcross) {
  const std::string text = control_markdown(kReport);
  EXPECT_EQ(text.rfind("# Luck of x\n\nWhat luck explains.\n\n## counts\n", 0), 0U) << text;
  EXPECT_NE(text.find("| a\\|b | 4 |\n| c | 5 |\n| all levels | 9 |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("## solved (percent)\n\n| level | observed | chance |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| a\\|b | 25.0 [10.0, 50.0] | - |\n| all levels | 50.0 [25.0, 75.0] | 12.5 (n=7) |\n\n"
                      "- a|b, observed: no chance figure\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("| all levels | 0.0312 |"), std::string::npos) << text;
}

TEST(ControlReport, HasALineForEachLevelAndSetAndRemarksBelow) {
  const ControlReport report{"flips",
                             "Flips of x",
                             "What flips.",
                             {{"counts", "all", "a", "examples", 3, 3},
                              {"flips", "batch", "all", "valid", 40, 0, 0, 0.1, "none flipped"},
                              {"flips", "batch", "a", "valid", 40, 0.125, 0.0546, 0.2611},
                              {"flips", "dtype", "a", "valid", 40, 1},
                              {"flips", "dtype", "a", "lost", 3, 0.5, 0.25, 0.75}},
                             {},
                             {"recorded on: x", "dtype: y"}};
  const std::string text = control_markdown(report);
  EXPECT_NE(text.find("## counts\n\n| level | examples |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| level | set | valid | lost |\n| --- | ---: | ---: | ---: |\n"
                      "| a | batch | 12.5 [5.5, 26.1] (n=40) | - |\n"
                      "| a | dtype | 100.0 (n=40) | 50.0 [25.0, 75.0] |\n"
                      "| all levels | batch | 0.0 [0.0, 10.0] (n=40) | - |\n\n"
                      "- all levels, batch, valid: none flipped\n\n"
                      "- recorded on: x\n- dtype: y\n"),
            std::string::npos)
      << text;
  EXPECT_NE(control_console(report).find("\n- recorded on: x\n"), std::string::npos);
}

TEST(ControlReport, PrintsTheSameTablesAndNotes) {
  const std::string text = control_console(kReport);
  EXPECT_NE(text.find("\na|b        | 25.0 [10.0, 50.0] |          -\n"), std::string::npos) << text;
  EXPECT_NE(text.find("a|b, observed: no chance figure\n"), std::string::npos) << text;
}

TEST(ControlReport, IsWrittenAsFiguresOfLabels) {
  const test::TemporaryFolder folder;
  write_control(folder / "controls", kReport);
  EXPECT_EQ(core::read_file(folder / "controls/luck.csv"), labels_csv(kReport.figures));
  EXPECT_EQ(core::read_file(folder / "controls/luck.md"), control_markdown(kReport));
}

}  // namespace
}  // namespace polar::eval
