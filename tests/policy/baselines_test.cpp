#include "policy/baselines.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/error.h"

namespace polar::policy {
namespace {

using core::Program;

constexpr int kBaselineDepth = 6;

std::vector<WeightedProgram> prior() {
  return {{Program::parse("0-4"), 1}, {Program::parse("0-5"), 6}, {Program::parse("0-5,5"), 3}};
}

std::vector<Input> inputs(int count) {
  std::vector<Input> made;
  for (int i = 0; i < count; ++i) made.push_back({"e" + std::to_string(i), nullptr});
  return made;
}

TEST(LabelDrawPlanner, DrawsDistinctProgramsAsOftenAsTheirWeightsSay) {
  std::map<std::pair<Program, Program>, int> pairs;
  constexpr int kInputs = 4000;
  for (const RankedPrograms& ranked : LabelDrawPlanner(prior(), 3, 2).propose(inputs(kInputs))) {
    ASSERT_EQ(ranked.size(), 2U);
    ++pairs[{ranked[0], ranked[1]}];
  }
  const auto expect = [&](const char* first, const char* second, double share) {
    const double deviation = std::sqrt(share * (1 - share) * kInputs);
    EXPECT_NEAR((pairs[{Program::parse(first), Program::parse(second)}]), share * kInputs, 4 * deviation)
        << first << " then " << second;
  };
  expect("0-5", "0-5,5", 0.6 * 3 / 4);
  expect("0-5", "0-4", 0.6 * 1 / 4);
  expect("0-5,5", "0-5", 0.3 * 6 / 7);
  expect("0-4", "0-5,5", 0.1 * 3 / 9);
  EXPECT_EQ(pairs.size(), 6U) << "never the same program twice";
}

TEST(LabelDrawPlanner, DependsOnTheInputsIdAloneAndEndsWithTheLastProgram) {
  const auto all = LabelDrawPlanner(prior(), 3, 9).propose(inputs(5));
  for (const RankedPrograms& ranked : all) EXPECT_EQ(std::set<Program>(ranked.begin(), ranked.end()).size(), 3U);
  const std::vector<Input> last = {inputs(5).back()};
  EXPECT_EQ(LabelDrawPlanner(prior(), 3, 9).propose(last).front(), all.back());
}

TEST(Heaviest, RanksByWeightTheSmallerProgramFirstAmongEquals) {
  std::vector<WeightedProgram> programs = prior();
  programs.push_back({Program::parse("0-3"), 3});
  EXPECT_EQ(heaviest(programs, 9), (RankedPrograms{Program::parse("0-5"), Program::parse("0-3"),
                                                   Program::parse("0-5,5"), Program::parse("0-4")}));
  EXPECT_EQ(heaviest(programs, 1), RankedPrograms{Program::parse("0-5")});
  EXPECT_TRUE(heaviest({}, 3).empty());
}

TEST(LabelDrawPlanner, RefusesWeightsThatAreNoneAndAnEmptyPrior) {
  EXPECT_THROW(LabelDrawPlanner({}, 1, 1), core::Error);
  for (const double weight : {0.0, -1.0, std::numeric_limits<double>::infinity()})
    EXPECT_THROW(LabelDrawPlanner({{Program{0}, weight}}, 1, 1), core::Error) << weight;
}

TEST(SamplingPlanner, ProposesTheIdentityOnceASample) {
  SamplingPlanner planner(kBaselineDepth, 0.7, 3);
  EXPECT_EQ(planner.name(), "base_sampling_0.7");
  EXPECT_EQ(planner.propose(inputs(1)).front(), RankedPrograms(3, Program::identity(kBaselineDepth)));
  EXPECT_EQ(planner.sample(2), (search::Sample{0.7, 2}));
  EXPECT_FALSE(planner.is_oracle());
}

}  // namespace
}  // namespace polar::policy
