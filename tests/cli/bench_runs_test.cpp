#include "cli/bench_runs.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/bench_variants.h"
#include "core/error.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::cli {
namespace {

using core::Program;

TEST(DistinctRows, CountASequencesRowsOnceForEveryPrefixThatProgramsHaveInCommon) {
  DistinctRows rows;
  rows.add("a", Program{0, 1, 2}, 10);
  EXPECT_EQ(rows.rows(), 30);
  rows.add("a", Program{0, 1, 2}, 10);
  EXPECT_EQ(rows.rows(), 30) << "the same again";
  rows.add("a", Program{0, 1, 1, 2}, 10);
  EXPECT_EQ(rows.rows(), 50) << "two steps after 0, 1";
  rows.add("a", Program{1, 2}, 10);
  EXPECT_EQ(rows.rows(), 70) << "no prefix, though the layers ran behind another";
  rows.add("b", Program{0}, 7);
  EXPECT_EQ(rows.rows(), 77) << "another sequence shares nothing";
}

TEST(DistinctFlop, ChargesRowsThatNobodyReadsTheirKeysAndValuesOnly) {
  const test::TemporaryFolder folder;
  test::write_tiny_pool(folder / "pool");  // hidden 32, 4 heads and 2 of keys of size 8, inner 48, vocabulary 257
  const test::LoadedPool model = test::load_pool(folder / "pool", pool::DType::kFloat32);
  const double projection = 2.0 * 32 * (4 + 2 * 2) * 8, layer = projection + 2.0 * (32 * 32 + 3 * 48 * 32);
  exec::ExecStats work;
  work.decoded_rows = 5;
  work.unread_rows = 3;
  work.head_rows = 2;
  EXPECT_DOUBLE_EQ(distinct_flop(100, work, *model.pool), 102 * layer + 3 * projection + 2 * 2.0 * 257 * 32);
}

BenchRun run_of(double units, double seconds, std::vector<int> correct = {}) {
  BenchRun run;
  run.units = units;
  run.seconds = seconds;
  run.correct = std::move(correct);
  return run;
}

TEST(Repeat, GoesOnForTheSecondsAskedForAndCountsEveryCall) {
  int resets = 0, calls = 0;
  const BenchRun once = repeat(0, [&] { ++resets; }, [&] { return run_of(++calls, 0); });
  EXPECT_EQ(once.units, 1);
  EXPECT_EQ(once.repeats, 1);
  EXPECT_GT(once.seconds, 0);
  EXPECT_GT(once.peak_rss_bytes, 1e6);
  const auto three = [&] { return run_of(3, 0); };
  const BenchRun many = repeat(0.001, [&] { ++resets; }, three);
  EXPECT_EQ(many.units, 3 * (resets - 1));
  EXPECT_EQ(many.repeats, resets - 1);
  EXPECT_GE(many.seconds, 0.001);
}

class Alternating : public testing::Test {
 protected:
  Alternating() { test::write_tiny_pool(folder_ / "pool"); }

  std::vector<BenchSeries> alternate(const std::vector<BenchVariant>& variants, int rounds, BenchTable& table) {
    const test::LoadedPool model = test::load_pool(folder_ / "pool", pool::DType::kFloat32);
    exec::ExecOptions options;
    options.workers = 1;
    options.layer_rows = 32;
    return cli::alternate(variants, rounds, *model.pool, options, table);
  }

  test::TemporaryFolder folder_;
};

TEST_F(Alternating, RunsInTurnAfterWarmingUpAndSortsByRate) {
  std::string order;
  int slow = 0;
  const std::vector<BenchVariant> variants = {
      {"a", [&] { order += "A"; },
       [&] {
         order += "a";
         return run_of(10, ++slow == 1 ? 2 : 1);
       }},
      {"b",
       {},
       [&] {
         order += "b";
         return run_of(5, 1);
       },
       "a"},
  };
  BenchTable table{"rollouts", "", {}};
  const std::vector<BenchSeries> series = alternate(variants, 3, table);
  EXPECT_EQ(order, "Aababab");
  EXPECT_EQ(series[0].runs.front().rate(), 5);
  EXPECT_EQ(series[0].median().rate(), 10);
  EXPECT_GT(table.machine.flop_per_s, 0);
  const std::string text = table_text(series, table);
  EXPECT_NE(text.find("b        |          5.0 |         5.0 … 5.0 |   0.50x | "), std::string::npos) << text;
  EXPECT_EQ(to_json(series[1], table).at("rates"), (std::vector<double>{5, 5, 5}));
}

TEST(SameVerdicts, AreRequiredOfEveryRunOfAVariantWhoseBitsMustBeTheSame) {
  const std::vector<BenchSeries> series = {{"polar", {run_of(2, 1, {1, 0})}},
                                           {"without drafts", {run_of(2, 1, {1, 0}), run_of(2, 1, {1, 1})}}};
  ExecVariant usual{"polar", {}}, other{"without drafts", {}};
  EXPECT_EQ(test::message_of<core::Error>([&] { require_same_verdicts(series, std::vector{usual, other}); }),
            "without drafts: expected the verdicts of polar in every run, found others");
  other.same_bits = false;
  EXPECT_NO_THROW(require_same_verdicts(series, std::vector{usual, other}));
}

TEST(Limit, IsTheDefaultsForVariantsThatRunTheSameTrials) {
  std::vector<BenchSeries> series = {{"polar", {run_of(1, 1)}}, {"a", {run_of(1, 1)}}, {"b", {run_of(1, 1)}}};
  series[0].runs[0].distinct_flop = 7;
  series[1].runs[0].distinct_flop = series[2].runs[0].distinct_flop = 9;
  ExecVariant usual{"polar", {}}, same{"a", {}}, other{"b", {}};
  other.same_bits = false;
  share_limit(series, std::vector{usual, same, other});
  EXPECT_EQ(series[1].runs[0].distinct_flop, 7);
  EXPECT_EQ(series[2].runs[0].distinct_flop, 0);
}

TEST(Variants, TurnOneSwitchOffEachAndNameTheOthersWhenOneIsUnknown) {
  VariantFlags flags;
  flags.ablation = true;
  const std::vector<ExecVariant> variants = flags.variants({}, pool::Kernels::kRows);
  ASSERT_GT(variants.size(), 8U);
  EXPECT_EQ(variants.front().name, "polar");
  for (const ExecVariant& one : variants) {
    const exec::ExecOptions& on = one.options;
    const int off = !on.draft_verification + !on.prefix_sharing + !on.layer_batching + !on.shared_prompt +
                    !on.read_rows_only + (one.stop == exec::StopRule::kFull) + (on.workers == 1) +
                    (one.kernels == "library");
    EXPECT_EQ(off, one.name == "polar" ? 0 : 1) << one.name;
    EXPECT_EQ(one.same_bits, one.kernels.empty()) << one.name;
    EXPECT_TRUE(on.batch_invariant || !one.same_bits) << one.name;
  }
  EXPECT_EQ(flags.variants({}, pool::Kernels::kLibrary).size(), variants.size() - 1) << "no kernels of our own";
  flags.ablation = false;
  flags.off = {"draft"};
  EXPECT_NE(test::message_of<core::UsageError>([&] {
              flags.variants({}, pool::Kernels::kRows);
            }).find("--without: expected one of drafts, early-stop"),
            std::string::npos);
}

}  // namespace
}  // namespace polar::cli
