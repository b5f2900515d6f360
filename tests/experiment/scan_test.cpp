#include "experiment/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "core/error.h"
#include "core/file.h"
#include "labels/label_store.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

using Block = std::tuple<std::string, int, int>;

/// Mode and block of the rows over all levels, each of which must be the program of its edit.
std::vector<Block> blocks_of(const std::vector<ScanRow>& rows, int depth) {
  std::vector<Block> blocks;
  for (const ScanRow& row : rows) {
    if (row.level != "all" || !row.edit) continue;
    blocks.emplace_back(row.mode, row.edit->first, row.edit->last());
    EXPECT_EQ(row.program, core::apply_edits(depth, {*row.edit})) << row.program.text();
    EXPECT_EQ(row.edit->extra_runs, row.mode == "skip" ? -1 : 1);
  }
  return blocks;
}

class ScanTest : public test::TinyRunTest {
 protected:
  static constexpr int kDepth = 8;
  Scan scanned(int examples_per_level, int max_block = 0) const {
    ScanOptions options;
    options.examples_per_level = examples_per_level;
    options.max_block = max_block;
    return run_scan(config("tiny"), options);
  }
  std::int64_t recorded() const { return labels::LabelStore::read(run("tiny-scan") / "scan.sqlite").trial_count(); }
};

TEST_F(ScanTest, HasEveryBlockOnceRepeatedAndOnceSkippedAndAnIdentityWithoutChange) {
  const Scan scan = scanned(3);
  std::vector<Block> expected;
  for (const char* mode : {"repeat", "skip"})
    for (int first = 0; first < kDepth; ++first)
      for (int last = first; last < kDepth; ++last)
        if (std::string(mode) == "repeat" || last - first + 1 < kDepth) expected.emplace_back(mode, first, last);
  EXPECT_EQ(blocks_of(scan.rows, kDepth), expected) << "only skipping every layer is no program";
  for (const ScanRow& row : scan.rows) {
    EXPECT_EQ(row.n, row.level == "all" ? 6 : 3);
    if (row.edit) continue;
    EXPECT_EQ(row.mode, "identity");
    EXPECT_EQ(row.program, core::Program::identity(kDepth));
    EXPECT_EQ(row.change, 0);
    EXPECT_EQ(row.log_prob_change, 0);
    EXPECT_FALSE(row.log_prob_interval) << "nothing varies";
  }
  EXPECT_EQ(recorded(), 6 * static_cast<std::int64_t>(expected.size() + 1));
  EXPECT_EQ(scan.folder, run("tiny-scan"));
  const std::string csv = core::read_file(scan.folder / "scan.csv");
  EXPECT_EQ(std::ranges::count(csv, '\n'), static_cast<std::ptrdiff_t>(1 + 3 * (expected.size() + 1)));
  test::expect_parts(csv,
                     {"\nidentity,,,8,0-7,all,6,", "\nskip,0,6,1,7,all,6,", "\nrepeat,2,3,10,\"0-3,2-7\",even,3,"});
  EXPECT_EQ(core::read_file(scan.folder / "scan.md"), scan.markdown);
}

TEST_F(ScanTest, GoesOnFromWhatItRecordedWithMoreExamplesAndLongerBlocks) {
  const std::vector<ScanRow> whole = scanned(2).rows;
  const std::int64_t trials = recorded();
  EXPECT_EQ(scan_csv(scanned(2).rows), scan_csv(whole));
  EXPECT_EQ(recorded(), trials);
  scanned(3);
  EXPECT_EQ(recorded(), trials / 4 * 6);
  // Shorter blocks are a search of their own, with the outcomes that are known.
  const std::vector<ScanRow> shorter = scanned(2, 2).rows;
  EXPECT_EQ(blocks_of(shorter, kDepth).size(), 2U * (8 + 7));
  for (const ScanRow& row : shorter) {
    const auto same = std::ranges::find_if(
        whole, [&](const ScanRow& one) { return one.program == row.program && one.level == row.level; });
    ASSERT_NE(same, whole.end());
    EXPECT_EQ(same->log_prob_change, row.log_prob_change);
  }
}

TEST_F(ScanTest, RefusesBlocksLongerThanTheModelAndTestExamples) {
  test::expect_parts(test::message_of<core::UsageError>([&] { scanned(1, 9); }),
                     {"--max-block", "expected 0 … 8", "found 9"});
  ScanOptions options;
  options.split = labels::Split::kTest;
  test::expect_parts(test::message_of<core::UsageError>([&] { run_scan(config("tiny"), options); }),
                     {"--split", "found test"});
  EXPECT_FALSE(std::filesystem::exists(run("tiny-scan")));
}

}  // namespace
}  // namespace polar::experiment
