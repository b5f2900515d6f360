#include "eval/control_table.h"

#include <gtest/gtest.h>

namespace polar::eval {
namespace {

TEST(ControlTable, HasALineForEachLevelAndSetAndACasesCountInEachCell) {
  const std::vector<LabelFigure> figures = {
      {"flips", "batch", "a|b", "valid", 40, 0.125, 0.0546, 0.2611},
      {"other", "batch", "a|b", "valid", 40, 0.5},
      {"flips", "batch", "all", "valid", 40, 0},
      {"flips", "dtype", "all", "valid", 40, 1},
      {"flips", "dtype", "all", "invalid", 3, 0.5, 0.25, 0.75},
  };
  EXPECT_EQ(control_table(figures, "flips"),
            "| level |  | valid, % | invalid, % |\n| --- | ---: | ---: | ---: |\n"
            "| a\\|b | batch | 12.5 of 40 [5.5, 26.1] | – |\n"
            "| all levels | batch | 0.0 of 40 | – |\n"
            "| all levels | dtype | 100.0 of 40 | 50.0 of 3 [25.0, 75.0] |\n");
}

TEST(ControlTable, IsEmptyWithoutFiguresOfTheAnalysis) {
  EXPECT_EQ(control_table({}, "flips"), "");
}

}  // namespace
}  // namespace polar::eval
