#include "experiment/scan_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::experiment {
namespace {

ScannedProgram scanned(std::optional<core::Edit> edit, const std::vector<bool>& correct,
                       const std::vector<double>& log_prob) {
  ScannedProgram program;
  program.edit = edit;
  program.program = edit ? core::apply_edits(4, {*edit}) : core::Program::identity(4);
  for (std::size_t i = 0; i < correct.size(); ++i) {
    search::Outcome& outcome = program.outcomes.emplace_back();
    outcome.correct = correct[i];
    outcome.answer_log_prob = log_prob[i];
  }
  return program;
}

const std::vector<std::string> kScanLevels = {"a", "b", "b", "b"};

std::vector<ScannedProgram> some_scan() {
  return {scanned(std::nullopt, {true, false, false, true}, {-1, -2, -3, -4}),
          scanned(core::Edit{1, 2, 1}, {true, true, true, false}, {-1, -1, -1, -5}),
          scanned(core::Edit{0, 1, -1}, {false, false, false, false}, {-2, -2, -2, -2})};
}

TEST(ScanTable, ComparesEveryProgramWithTheIdentityOnTheSameExamples) {
  const std::vector<ScanRow> rows = scan_rows(some_scan(), kScanLevels, 1, 100);
  ASSERT_EQ(rows.size(), 9U);
  EXPECT_EQ(rows[0].level, "a");
  const ScanRow &identity = rows[6], &repeat = rows[7], &skip = rows[8];
  EXPECT_EQ(identity.mode, "identity");
  EXPECT_EQ(identity.level, "all");
  EXPECT_EQ(identity.accuracy, 0.5);
  EXPECT_EQ(identity.change, 0);
  EXPECT_EQ(repeat.mode, "repeat");
  EXPECT_EQ(repeat.program, (core::Program{0, 1, 2, 1, 2, 3}));
  EXPECT_EQ(repeat.accuracy, 0.75);
  EXPECT_EQ(repeat.accuracy_interval, eval::wilson_interval(3, 4));
  EXPECT_EQ(repeat.change, 0.25);
  EXPECT_EQ(repeat.to_right, 2);
  EXPECT_EQ(repeat.to_wrong, 1);
  EXPECT_EQ(repeat.p, eval::mcnemar_exact_p(2, 1));
  EXPECT_EQ(repeat.log_prob_change, (0 + 1 + 2 - 1) / 4.0);
  ASSERT_TRUE(repeat.change_interval);
  EXPECT_LE(repeat.change_interval->low, 0.25);
  EXPECT_GE(repeat.change_interval->high, 0.25);
  EXPECT_EQ(skip.mode, "skip");
  EXPECT_EQ(skip.change, -0.5);
  EXPECT_EQ(skip.p_holm, std::min(1.0, 2 * eval::mcnemar_exact_p(0, 2)));
  EXPECT_EQ(rows[4].n, 3);
  EXPECT_DOUBLE_EQ(rows[4].change, 1.0 / 3);
}

TEST(ScanTable, BoundsLogProbabilitiesThatUnderflow) {
  const double none = -std::numeric_limits<double>::infinity();
  const std::vector<ScanRow> rows =
      scan_rows(std::vector{scanned(std::nullopt, {true}, {-1}), scanned(core::Edit{0, 1, -1}, {false}, {none})},
                std::vector<std::string>{"a"}, 1, 100);
  EXPECT_EQ(rows.back().log_prob_change, kLeastLogProb + 1);
}

TEST(ScanTable, WritesALineARowAndTheBestOfEachMode) {
  const std::vector<ScanRow> rows = scan_rows(some_scan(), kScanLevels, 1, 100);
  const std::string csv = scan_csv(rows);
  EXPECT_EQ(csv.substr(0, csv.find(',', 20)), "mode,first,last,layers");
  test::expect_parts(
      csv, {"\nidentity,,,4,0-3,all,4,0.5,", "\nrepeat,1,2,6,\"0-2,1-3\",all,4,0.75,", "\nskip,0,0,3,1-3,b,3,0,"});
  const std::string text = scan_markdown(rows, "Scan of tiny");
  test::expect_parts(text, {"# Scan of tiny\n", "## Unchanged model", "## Best of 1 repeats", "repeat 1-2 x2",
                            "+25.0 [", "## Best of 1 skips", "skip 0"});
}

TEST(ScanTable, HasNoIntervalWhereNothingVaries) {
  const std::vector<ScanRow> rows = scan_rows(some_scan(), kScanLevels, 1, 100);
  const ScanRow &one_example = rows[1], &identity = rows[6];
  EXPECT_EQ(one_example.n, 1);
  EXPECT_FALSE(one_example.change_interval);
  EXPECT_FALSE(one_example.log_prob_interval);
  EXPECT_FALSE(identity.change_interval);
  test::expect_parts(scan_csv(std::vector{identity}), {",0,0,0,,,1,1,0,,\n"});
  test::expect_parts(scan_markdown(std::vector{identity}, "Scan of tiny"), {"| +0.0 | 0 | 0 | 1 | +0.000 |"});
}

TEST(ScanTable, ListsEqualProgramsInTheOrderOfTheRows) {
  const std::vector<bool> right = {true, false};
  const std::vector<double> log_prob = {-1, -2};
  const std::vector<ScanRow> rows =
      scan_rows(std::vector{scanned(std::nullopt, right, log_prob), scanned(core::Edit{0, 2, 1}, right, log_prob),
                            scanned(core::Edit{1, 1, 1}, right, log_prob)},
                std::vector<std::string>{"a", "a"}, 1, 100);
  const std::string text = scan_markdown(rows, "Scan of tiny");
  EXPECT_LT(text.find("repeat 0-1 x2"), text.find("repeat 1 x2")) << text;
}

TEST(ScanTable, RefusesALevelNamedAsAllOfThem) {
  test::expect_parts(test::message_of<core::Error>(
                         [] { scan_rows(some_scan(), std::vector<std::string>{"a", "all", "a", "a"}, 1, 100); }),
                     {"'all'", "rename it"});
}

TEST(ScanTable, RefusesAScanWithoutIdentityOrOutcomes) {
  std::vector<ScannedProgram> scan = some_scan();
  scan[1].outcomes.pop_back();
  EXPECT_THROW(scan_rows(scan, kScanLevels, 1, 100), core::Error);
  scan = some_scan();
  scan.erase(scan.begin());
  EXPECT_THROW(scan_rows(scan, kScanLevels, 1, 100), core::Error);
  EXPECT_THROW(scan_rows(some_scan(), {}, 1, 100), core::Error);
}

}  // namespace
}  // namespace polar::experiment
