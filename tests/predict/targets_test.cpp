#include "predict/targets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

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

std::vector<ValidProgram> all_valid(std::vector<Program> programs) {
  std::vector<ValidProgram> valid;
  for (Program& program : programs) valid.push_back({std::move(program), 0});
  return valid;
}

const Program kIdentity = Program::identity(6), kShort{0, 1, 2, 3, 4}, kLong{0, 1, 2, 3, 4, 5, 4, 5};

TEST(Targets, LabelSegmentStartsWithTheirRuns) {
  TargetCounts counts;
  // Layers 0-1 kept, 2 skipped, 3-5 twice: three segments.
  const auto valid = all_valid({Program{0, 1, 3, 4, 5, 3, 4, 5}});
  const auto targets = make_targets(valid, six_layers(), counts);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].boundary, (std::vector<int>{1, 0, 1, 1, 0, 0}));
  EXPECT_EQ(targets[0].operation, (std::vector<int>{1, -1, 0, 2, -1, -1}));
  EXPECT_DOUBLE_EQ(targets[0].weight, 1.0);
}

TEST(Targets, WeighTheIdentityLessBesideAnotherProgramAndKeepMeanOne) {
  TargetCounts counts;
  const auto valid = all_valid({Program::identity(6), Program{0, 1, 2, 3, 4}});
  const auto targets = make_targets(valid, six_layers(), counts);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_NEAR(targets[0].weight, 0.3 * 2 / 1.3, 1e-12);
  EXPECT_NEAR(targets[1].weight, 1.0 * 2 / 1.3, 1e-12);
}

TEST(Targets, GiveALoneIdentityFullWeight) {
  TargetCounts counts;
  const auto valid = all_valid({Program::identity(6)});
  EXPECT_DOUBLE_EQ(make_targets(valid, six_layers(), counts).at(0).weight, 1.0);
}

TEST(Targets, CountEveryProgramOnce) {
  TargetOptions options = six_layers(2);
  options.max_programs = 2;
  TargetCounts counts;
  const auto valid = all_valid({
      Program{0, 1, 2, 3, 4},                 // used
      Program{0, 1, 2, 3, 4},                 // duplicate
      Program{0, 1, 2, 3, 3, 3, 4, 5},        // three runs: outside the vocabulary
      Program{0, 1, 2, 3, 4, 3, 4, 5, 4, 5},  // overlapping loops
      Program{0, 2, 3, 4, 5},                 // edits the prefix
      Program{0, 1, 2, 1, 2, 3, 4, 5},        // returns to the prefix
      Program::identity(6),                   // used
      Program{0, 1, 3, 4, 5},                 // beyond the limit of two
  });
  EXPECT_EQ(make_targets(valid, options, counts).size(), 2U);
  make_targets({}, options, counts);
  const TargetCounts expected{2, 1, 8, 2, 1, 2, 2, 1, 0, 0, 0};
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(counts.programs,
            counts.used + counts.duplicates + counts.unparsable + counts.prefix_edits + counts.over_limit);
}

TEST(Targets, StartTheFirstSegmentAfterThePrefix) {
  TargetCounts counts;
  const auto valid = all_valid({Program::identity(6), Program{0, 1, 2}});
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
  const auto valid = all_valid({Program{0, 1, 2, 3, 3, 3, 4, 5}});
  EXPECT_EQ(make_targets(valid, options, counts).at(0).operation[3], 3);
}

TEST(Targets, DropAnIdentityOfWeightZeroUnlessItIsAlone) {
  TargetOptions options = six_layers();
  options.identity_weight = 0;
  TargetCounts counts;
  const auto targets = make_targets(all_valid({kIdentity, kShort}), options, counts);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].operation[5], 0);
  EXPECT_TRUE(has_edits(targets));
  EXPECT_EQ(counts.not_chosen, 1);
  EXPECT_EQ(counts.used, 1);
  const auto alone = make_targets(all_valid({kIdentity}), options, counts);
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_DOUBLE_EQ(alone[0].weight, 1);
  EXPECT_FALSE(has_edits(alone));
}

TEST(Targets, WeighProgramsByLengthAsComputedByHand) {
  TargetOptions options = six_layers();
  options.length_weight = 0.05;
  TargetCounts counts;
  const auto targets = make_targets(all_valid({kLong, kShort, kIdentity}), options, counts);
  const double longer = std::exp(-0.05 * 8), shorter = std::exp(-0.05 * 5), identity = 0.3 * std::exp(-0.05 * 6);
  const double sum = longer + shorter + identity;
  EXPECT_NEAR(targets.at(0).weight, 3 * longer / sum, 1e-12);
  EXPECT_NEAR(targets.at(1).weight, 3 * shorter / sum, 1e-12);
  EXPECT_NEAR(targets.at(2).weight, 3 * identity / sum, 1e-12);
}

TEST(Targets, WeighProgramsByMarginAsComputedByHand) {
  TargetOptions options = six_layers();
  options.margin_weight = 2;
  TargetCounts counts;
  const std::vector<ValidProgram> valid{{kLong, 0}, {kShort, std::log(3)}};  // sigmoids 1/2 and 3/4
  const auto targets = make_targets(valid, options, counts);
  EXPECT_NEAR(targets.at(0).weight, 2 * 0.25 / (0.25 + 0.5625), 1e-12);
  EXPECT_NEAR(targets.at(1).weight, 2 * 0.5625 / (0.25 + 0.5625), 1e-12);
  const std::vector<ValidProgram> hopeless{{kLong, -1e9}, {kShort, -1e9}};
  EXPECT_DOUBLE_EQ(make_targets(hopeless, options, counts).at(1).weight, 1);
}

TEST(Targets, MayBeTheShortestProgramAndTheFirstOfEquals) {
  TargetOptions options = six_layers();
  options.choice = TargetChoice::kShortest;
  TargetCounts counts;
  const auto targets = make_targets(all_valid({kLong, Program{0, 1, 2, 3, 5}, kShort}), options, counts);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].operation[4], 0);
  EXPECT_DOUBLE_EQ(targets[0].weight, 1);
  EXPECT_EQ(counts.used, 1);
  EXPECT_EQ(counts.not_chosen, 2);
}

TEST(Targets, MayBeTheProgramThatCoversMostExamples) {
  TargetOptions options = six_layers();
  options.choice = TargetChoice::kCover;
  const Program overlapping{0, 1, 2, 3, 4, 3, 4, 5, 4, 5};  // holds for most, but cannot be emitted
  const std::vector<std::vector<ValidProgram>> examples{
      all_valid({kShort, kLong, overlapping}), all_valid({kLong, overlapping}), all_valid({kLong, overlapping}),
      all_valid({Program{0, 1, 2, 3, 5}, kShort, overlapping}), all_valid({overlapping})};
  // The long one serves three; of what is left, the last serves one, as does the short one, which is smaller.
  const auto cover = cover_order(examples, options);
  EXPECT_EQ(cover, (std::vector<Program>{kLong, kShort}));
  TargetCounts counts;
  EXPECT_EQ(make_targets(examples[0], options, counts, cover).at(0).operation[4], 2);
  EXPECT_EQ(make_targets(examples[3], options, counts, cover).at(0).operation[5], 0);
  EXPECT_TRUE(make_targets(examples[4], options, counts, cover).empty());
  // An example that the cover does not serve keeps its first program.
  const auto other = all_valid({Program{0, 1, 3, 4, 5}, Program{0, 1, 2, 4, 5}});
  EXPECT_EQ(make_targets(other, options, counts, cover).at(0).operation[2], 0);
}

TEST(Targets, StandForTheProgramsTheyWereMadeOf) {
  TargetCounts counts;
  const auto valid = all_valid({kIdentity, kShort, kLong, Program{0, 1, 3, 4, 5, 3, 4, 5}, Program{0, 1}});
  const ExampleTargets targets = make_targets(valid, six_layers(2), counts);
  ASSERT_EQ(targets.size(), valid.size());
  for (std::size_t i = 0; i < targets.size(); ++i) EXPECT_EQ(program_of(targets[i]), valid[i].program);
}

TEST(Targets, NamesOfChoicesReadBack) {
  for (const auto choice : {TargetChoice::kAll, TargetChoice::kShortest, TargetChoice::kCover})
    EXPECT_EQ(target_choice(to_string(choice)), choice);
  EXPECT_THROW(target_choice("longest"), core::UsageError);
}

TEST(Targets, RefuseOptionsOutOfRange) {
  TargetCounts counts;
  for (auto break_it :
       {+[](TargetOptions& o) { o.first_layer = 6; }, +[](TargetOptions& o) { o.depth = 0; },
        +[](TargetOptions& o) { o.max_programs = 0; }, +[](TargetOptions& o) { o.identity_weight = -0.1; },
        +[](TargetOptions& o) { o.length_weight = -1; }, +[](TargetOptions& o) { o.margin_weight = 11; },
        +[](TargetOptions& o) { o.limits.max_runs = 0; }}) {
    TargetOptions options = six_layers();
    break_it(options);
    EXPECT_THROW(make_targets({}, options, counts), core::UsageError);
  }
}

}  // namespace
}  // namespace polar::predict
