#include "predict/targets.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace polar::predict {
namespace {

using core::Program;

TargetOptions six_layers(int first_layer = 0) {
  TargetOptions options;
  options.depth = 6;
  options.first_layer = first_layer;
  return options;
}

TEST(Targets, LabelSegmentStartsWithTheirRuns) {
  TargetCounts counts;
  // Layers 0-1 kept, 2 skipped, 3-5 twice: three segments.
  const std::vector<Program> valid{Program{0, 1, 3, 4, 5, 3, 4, 5}};
  const auto targets = make_targets(valid, six_layers(), counts);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].boundary, (std::vector<int>{1, 0, 1, 1, 0, 0}));
  EXPECT_EQ(targets[0].operation, (std::vector<int>{1, -1, 0, 2, -1, -1}));
  EXPECT_DOUBLE_EQ(targets[0].weight, 1.0);
}

TEST(Targets, WeighTheIdentityLessBesideAnotherProgramAndKeepMeanOne) {
  TargetCounts counts;
  const std::vector<Program> valid{Program::identity(6), Program{0, 1, 2, 3, 4}};
  const auto targets = make_targets(valid, six_layers(), counts);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_NEAR(targets[0].weight, 0.3 * 2 / 1.3, 1e-12);
  EXPECT_NEAR(targets[1].weight, 1.0 * 2 / 1.3, 1e-12);
}

TEST(Targets, GiveALoneIdentityFullWeight) {
  TargetCounts counts;
  const std::vector<Program> valid{Program::identity(6)};
  EXPECT_DOUBLE_EQ(make_targets(valid, six_layers(), counts).at(0).weight, 1.0);
}

TEST(Targets, CountEveryProgramOnce) {
  TargetOptions options = six_layers(2);
  options.max_programs = 2;
  TargetCounts counts;
  const std::vector<Program> valid{
      Program{0, 1, 2, 3, 4},                 // used
      Program{0, 1, 2, 3, 4},                 // duplicate
      Program{0, 1, 2, 3, 3, 3, 4, 5},        // three runs: outside the vocabulary
      Program{0, 1, 2, 3, 4, 3, 4, 5, 4, 5},  // overlapping loops
      Program{0, 2, 3, 4, 5},                 // edits the prefix
      Program{0, 1, 2, 1, 2, 3, 4, 5},        // returns to the prefix
      Program::identity(6),                   // used
      Program{0, 1, 3, 4, 5},                 // beyond the limit of two
  };
  EXPECT_EQ(make_targets(valid, options, counts).size(), 2U);
  make_targets({}, options, counts);
  const TargetCounts expected{2, 1, 8, 2, 1, 2, 2, 1};
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(counts.programs,
            counts.used + counts.duplicates + counts.unparsable + counts.prefix_edits + counts.over_limit);
}

TEST(Targets, StartTheFirstSegmentAfterThePrefix) {
  TargetCounts counts;
  const std::vector<Program> valid{Program::identity(6), Program{0, 1, 2}};
  const auto targets = make_targets(valid, six_layers(2), counts);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].boundary, (std::vector<int>{0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(targets[1].boundary, (std::vector<int>{0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(targets[1].operation, (std::vector<int>{-1, -1, 1, 0, -1, -1}));
}

TEST(Targets, SkipEverythingAfterThePrefixInTheLongestSegments) {
  TargetOptions options = six_layers(1);
  const auto segments = parse_after_prefix(Program{0}, options);
  ASSERT_TRUE(segments);
  EXPECT_EQ(*segments, (core::Segments{{1, 4, 0}, {5, 1, 0}}));
}

TEST(Targets, AcceptMoreRunsWithALargerVocabulary) {
  TargetOptions options = six_layers();
  options.limits.max_runs = 3;
  TargetCounts counts;
  const std::vector<Program> valid{Program{0, 1, 2, 3, 3, 3, 4, 5}};
  EXPECT_EQ(make_targets(valid, options, counts).at(0).operation[3], 3);
}

TEST(Targets, RefuseOptionsOutOfRange) {
  TargetCounts counts;
  for (auto break_it : {+[](TargetOptions& o) { o.first_layer = 6; }, +[](TargetOptions& o) { o.depth = 0; },
                        +[](TargetOptions& o) { o.max_programs = 0; }, +[](TargetOptions& o) { o.identity_weight = 0; },
                        +[](TargetOptions& o) { o.limits.max_runs = 0; }}) {
    TargetOptions options = six_layers();
    break_it(options);
    EXPECT_THROW(make_targets({}, options, counts), core::UsageError);
  }
}

}  // namespace
}  // namespace polar::predict
