#include "predict/crop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "support/fake_evaluator.h"

namespace polar::predict {
namespace {

using core::Program;

TargetOptions layers(int depth, int first_layer = 0) {
  TargetOptions options;
  options.depth = depth;
  options.first_layer = first_layer;
  return options;
}

/// Steps removed plus added between two programs: the textbook recursion.
int distance(const Program& a, const Program& b) {
  std::vector<std::vector<int>> cost(a.length() + 1, std::vector<int>(b.length() + 1, 0));
  for (int i = 0; i <= a.length(); ++i) {
    for (int j = 0; j <= b.length(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
      } else {
        cost[i][j] = std::min(cost[i - 1][j], cost[i][j - 1]) + 1;
        if (a[i - 1] == b[j - 1]) cost[i][j] = std::min(cost[i][j], cost[i - 1][j - 1]);
      }
    }
  }
  return cost[a.length()][b.length()];
}

/// Every program that can be emitted.
std::set<Program> emittable(const TargetOptions& options) {
  std::set<Program> programs;
  std::vector<core::Segments> open{{}};
  for (int layer = 0; layer < options.first_layer; ++layer) open[0].push_back({layer, 1, 1});
  while (!open.empty()) {
    const core::Segments segments = std::move(open.back());
    open.pop_back();
    const int next = segments.empty() ? 0 : segments.back().first + segments.back().length;
    if (next == options.depth) {
      if (std::ranges::any_of(segments, [](const core::Segment& one) { return one.runs > 0; }))
        programs.insert(core::expand(segments, options.depth));
      continue;
    }
    for (int length = 1; length <= std::min(options.limits.max_length, options.depth - next); ++length) {
      for (int runs = 0; runs <= options.limits.max_runs; ++runs) {
        open.push_back(segments);
        open.back().push_back({next, length, runs});
      }
    }
  }
  return programs;
}

TEST(Crop, IsTheNearestOfAllEmittableProgramsAndOfEqualsAShortest) {
  for (const int first_layer : {0, 2}) {
    TargetOptions options = layers(5, first_layer);
    options.limits.max_length = 3;
    const std::set<Program> all = emittable(options);
    for (int trial = 0; trial < 60; ++trial) {
      core::Random random(core::derive_seed(2, "crop", std::to_string(trial)));
      std::vector<Program::Layer> steps;
      for (int i = 1 + static_cast<int>(random.below(9)); i > 0; --i)
        steps.push_back(static_cast<Program::Layer>(random.below(5)));
      const Program program(std::move(steps));
      const auto cost = [&](const Program& one) { return std::pair(distance(program, one), one.length()); };
      const Program crop = nearest_emittable(program, options);
      ASSERT_TRUE(all.contains(crop)) << crop.text();
      const Program& best = *std::ranges::min_element(all, {}, cost);
      EXPECT_EQ(cost(crop), cost(best)) << program.text() << ": " << crop.text() << " or " << best.text();
    }
  }
}

TEST(Crop, LeavesWhatCanBeEmitted) {
  const TargetOptions options = layers(4, 1);
  for (const Program& program : emittable(options)) EXPECT_EQ(nearest_emittable(program, options), program);
}

TEST(Crop, TakesExtraRunsAndOverlapsAway) {
  EXPECT_EQ(nearest_emittable(Program{0, 1, 1, 1, 1, 2, 3}, layers(4)), (Program{0, 1, 1, 2, 3}));
  const Program overlapping{0, 1, 2, 1, 2, 3, 2, 3};  // one step less will do: the first 2, or the last
  EXPECT_EQ(distance(overlapping, nearest_emittable(overlapping, layers(4))), 1);
  EXPECT_EQ(nearest_emittable(Program{1, 2, 2, 3}, layers(4, 1)), (Program{0, 1, 2, 2, 3}));
  EXPECT_THROW(nearest_emittable(Program(), layers(4)), core::Error);
}

TEST(Crop, BecomesATargetOnlyWhereItAnswersCorrectly) {
  const Program many{0, 1, 1, 1, 2, 3}, more{0, 1, 1, 1, 1, 2, 3}, crop{0, 1, 1, 2, 3}, skip{0, 1, 2};
  const std::vector<task::ExampleId> ids{"right", "wrong", "plain"};
  std::vector<std::vector<ValidProgram>> valid{{{many, 1}, {skip, 2}, {more, 3}}, {{many, 1}}, {{skip, 2}}};
  std::vector<search::Trial> asked;
  test::RuleEvaluator evaluator([&](const search::Trial& trial) {
    asked.push_back(trial);
    search::Outcome outcome;
    outcome.correct = trial.example == "right";
    outcome.margin = 7;
    return outcome;
  });
  TargetCounts counts;
  crop_unemittable(ids, valid, layers(4), evaluator, counts);
  EXPECT_EQ(asked, (std::vector<search::Trial>{{"right", crop, {}}, {"wrong", crop, {}}})) << "each crop once";
  EXPECT_EQ(valid[0][0].program, crop);
  EXPECT_EQ(valid[0][0].margin, 7);
  EXPECT_EQ(valid[0][1].program, skip);
  EXPECT_EQ(valid[0][2].program, crop);
  EXPECT_EQ(valid[1][0].program, many) << "left for make_targets to drop";
  EXPECT_EQ(counts.cropped, 3);
  EXPECT_EQ(counts.crops_valid, 2);
  for (const auto& programs : valid) make_targets(programs, layers(4), counts);
  EXPECT_EQ(counts.used, 3);
  EXPECT_EQ(counts.duplicates, 1);
  EXPECT_EQ(counts.unparsable, 1);
  EXPECT_EQ(counts.programs, 5);
}

TEST(Crop, RunsNothingWhereEverythingCanBeEmitted) {
  test::RuleEvaluator evaluator([](const search::Trial&) -> search::Outcome { throw core::Error("asked"); });
  const std::vector<task::ExampleId> ids{"a"};
  std::vector<std::vector<ValidProgram>> valid{{{Program{0, 1, 2}, 0}}};
  TargetCounts counts;
  EXPECT_NO_THROW(crop_unemittable(ids, valid, layers(4), evaluator, counts));
  EXPECT_EQ(counts, TargetCounts{});
  EXPECT_THROW(crop_unemittable({}, valid, layers(4), evaluator, counts), core::Error);
}

}  // namespace
}  // namespace polar::predict
