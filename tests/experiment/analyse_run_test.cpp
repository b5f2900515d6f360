#include "experiment/analyse_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "eval/label_report.h"
#include "labels/import.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

/// Of searches there are tests in experiment_test.cpp.
class ImportedAnalysisTest : public ::testing::Test {
 protected:
  ImportedAnalysisTest() {
    core::write_file(folder_ / "file.json", R"([
      {"id": "a", "question": "1+1?", "gt_ans": "2", "level": "easy", "initial_score": 0,
       "final_valid_transitions": [[0, 1, 3]], "final_invalid_transitions": [[3]]},
      {"id": "b", "question": "2+2?", "gt_ans": "4", "level": "hard", "initial_score": 1,
       "final_valid_transitions": [[0, 1, 2, 3], [0, 1, 1, 2, 3]]},
      {"id": "c", "question": "3+3?", "gt_ans": "6", "level": "hard", "final_invalid_transitions": [[2]]},
      {"id": "d", "question": "4+4?", "gt_ans": "8", "level": "hard", "split": "test",
       "final_valid_transitions": [[0, 2, 3]]}])");
    const labels::RunLock lock(folder_.path());
    labels::ImportedLabels labels = labels::ImportedLabels::open(lock, "imported.sqlite", {4, "", ""});
    labels::import_file(labels, folder_ / "file.json", labels::SampleJoin({}));
  }

  /// NaN when there is none.
  static double value(const RunAnalysis& analysis, const std::string& name, const std::string& key) {
    const auto found = std::ranges::find_if(analysis.figures, [&](const eval::LabelFigure& figure) {
      return figure.analysis == name && figure.key == key && figure.level == "all" && figure.set == "all";
    });
    return found == analysis.figures.end() ? std::nan("") : found->value;
  }

  test::TemporaryFolder folder_;
  std::filesystem::path store_ = folder_ / "imported.sqlite";
};

TEST_F(ImportedAnalysisTest, SaysWhatImportedProgramsShowWithoutTheirOrder) {
  const RunAnalysis analysis = analyse_run(store_, {});
  EXPECT_EQ(analysis.stem, "imported");
  EXPECT_EQ(analysis.title, "Labels of imported.sqlite");
  EXPECT_EQ(value(analysis, "counts", "examples"), 3) << "that of test left out";
  EXPECT_EQ(value(analysis, "counts", "rollouts"), 6) << "the identity of a and b by their initial score";
  EXPECT_EQ(value(analysis, "counts", "base_unknown"), 1);
  EXPECT_EQ(value(analysis, "base", "right"), 0.5);
  EXPECT_DOUBLE_EQ(value(analysis, "solved", "any"), 2.0 / 3);
  EXPECT_EQ(value(analysis, "rescued", "of_wrong"), 1);
  EXPECT_TRUE(std::isnan(value(analysis, "counts", "unfinished")));
  EXPECT_TRUE(std::isnan(value(analysis, "replay_solved", "1")));
  const RunAnalysis of_test = analyse_run(store_, {.split = labels::Split::kTest});
  EXPECT_EQ(of_test.stem, "imported-test");
  EXPECT_EQ(value(of_test, "counts", "examples"), 1);
}

TEST_F(ImportedAnalysisTest, ReadsThemAsTheLabelsOfAFolderToo) {
  const std::string by_file = eval::labels_csv(analyse_run(store_, {}).figures);
  std::filesystem::create_directory(folder_ / "run");
  std::filesystem::rename(store_, folder_ / "run" / "labels.sqlite");
  const RunAnalysis analysis = analyse_run(folder_ / "run" / "", {});
  EXPECT_EQ(analysis.stem, "labels");
  EXPECT_EQ(analysis.title, "Labels of run");
  EXPECT_EQ(eval::labels_csv(analysis.figures), by_file);
}

TEST_F(ImportedAnalysisTest, RefusesWhatNeedsARecordedSearch) {
  const auto refusal = [&](const AnalyseOptions& options) {
    return test::message_of<core::UsageError>([&] { analyse_run(store_, options); });
  };
  test::expect_parts(refusal({.budget = 3}), {"budget", "no order of trials", "a search of polar's own"});
  test::expect_parts(refusal({.compare = {{"skip", store_}}}),
                     {"imported.sqlite", "--compare", "polar labels rejudge"});
  test::expect_parts(test::message_of<core::Error>([&] { analyse_run(store_, {.split = labels::Split::kValid}); }),
                     {"imported.sqlite: expected imported programs of valid examples", "--split"});
}

}  // namespace
}  // namespace polar::experiment
