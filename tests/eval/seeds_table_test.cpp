#include "eval/seeds_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace polar::eval {
namespace {

constexpr int kDepth = 4;

EvaluationRow row(const std::string& policy, int example, bool correct) {
  const core::Program program =
      policy == "menu" ? core::Program::parse("0-1,3", kDepth) : core::Program::identity(kDepth);
  return {"e" + std::to_string(example),
          "test",
          "sums",
          policy,
          false,
          {{program, "1", correct, 0, program.length(), program.unique_depth(), 2, 2 * program.length()}},
          "q",
          "1"};
}

/// Ten questions; each policy answers the first so many.
SeedRows seed_of(std::uint64_t seed, int base, int fixed, int menu) {
  SeedRows result{seed, {}};
  for (int i = 0; i < 10; ++i) {
    result.rows.push_back(row("base", i, i < base));
    result.rows.push_back(row("static_best", i, i < fixed));
    result.rows.push_back(row("menu", i, i < menu));
  }
  return result;
}

const SeedFigure& find(const std::vector<SeedFigure>& figures, const std::string& policy, const std::string& metric) {
  for (const SeedFigure& one : figures) {
    if (one.policy == policy && one.metric == metric) return one;
  }
  throw core::Error("no figure " + metric + " of " + policy);
}

TEST(Seeds, HaveMeanAndDeviationOfEveryFigure) {
  const std::vector<SeedRows> seeds = {seed_of(1, 2, 3, 6), seed_of(2, 4, 4, 9)};
  const std::vector<SeedFigure> figures = seed_figures(seeds, kDepth);
  const SeedFigure& menu = find(figures, "menu", "pass@k");
  EXPECT_EQ(menu.values, (std::vector<double>{0.6, 0.9}));
  EXPECT_NEAR(menu.mean, 0.75, 1e-12);
  EXPECT_NEAR(menu.deviation, 0.3 / std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(find(figures, "menu", "depth_ratio").mean, 0.75, 1e-12);
  EXPECT_EQ(find(figures, "base", "identity_share").mean, 1);
  EXPECT_EQ(find(figures, "menu", "mcnemar_p").values, (std::vector<double>{0.125, 0.0625}));  // 2 / 2^4, 2 / 2^5
}

TEST(Seeds, MakeALineAPolicyWithTheLeastGainAndTheGreatestP) {
  const std::vector<SeedRows> seeds = {seed_of(1, 2, 3, 6), seed_of(2, 4, 4, 9)};
  const std::string table = seeds_markdown(seed_figures(seeds, kDepth), std::vector<std::uint64_t>{1, 2});
  EXPECT_NE(table.find("| policy | seed 1 | seed 2 | mean |"), std::string::npos) << table;
  EXPECT_NE(table.find("| base | 20.0 | 40.0 | 30.0 ± 14.1 | – | – | -5.0 (least -10.0) |"), std::string::npos)
      << table;
  EXPECT_NE(
      table.find("| menu | 60.0 | 90.0 | 75.0 ± 21.2 | +45.0 (least +40.0) | 0.250 | +40.0 (least +30.0) | 0.500 | "
                 "0.750 | 0.750 | 0.0 |"),
      std::string::npos)
      << table;
}

TEST(Seeds, StandOneAFigureInCsv) {
  const std::vector<SeedRows> seeds = {seed_of(1, 2, 3, 6), seed_of(2, 4, 4, 9)};
  const std::string csv = seeds_csv(seed_figures(seeds, kDepth));
  EXPECT_EQ(csv.find("policy,split,metric,seeds,mean,deviation,least,greatest\nbase,test,pass@k,2,"), 0U) << csv;
}

TEST(Seeds, OfOneHaveNoDeviationAndOfNoneAreRefused) {
  const std::vector<SeedRows> one = {seed_of(1, 2, 3, 6)};
  EXPECT_EQ(find(seed_figures(one, kDepth), "menu", "pass@k").deviation, 0);
  EXPECT_THROW(seed_figures({}, kDepth), core::UsageError);
}

TEST(Seeds, LeaveOutAPolicyThatOneOfThemLacks) {
  std::vector<SeedRows> seeds = {seed_of(1, 2, 3, 6), seed_of(2, 4, 4, 9)};
  std::erase_if(seeds[1].rows, [](const EvaluationRow& one) { return one.policy == "menu"; });
  for (const SeedFigure& one : seed_figures(seeds, kDepth)) EXPECT_NE(one.policy, "menu");
}

}  // namespace
}  // namespace polar::eval
