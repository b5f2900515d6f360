#include "search/overlapping_edits.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/seed.h"

namespace polar::search {
namespace {

using core::Program;

SpaceOptions overlapping(int depth, int max_edits) {
  return {.depth = depth,
          .first_layer = 1,
          .end_layer = depth - 1,
          .max_block = 3,
          .max_extra_runs = 2,
          .min_depth_ratio = 0.3,
          .max_depth_ratio = 2,
          .max_edits = max_edits,
          .form = EditForm::kOverlapping};
}

TEST(OverlappingEditsOf, FindsASmallestSetForEveryProgramOfASmallSpace) {
  const SpaceOptions options = overlapping(6, 2);
  const SearchSpace space(options);
  ASSERT_TRUE(space.counted());
  const std::vector<EditedProgram> programs = space.enumerate().value();
  for (const EditedProgram& edited : programs) {
    const auto found = overlapping_edits_of(edited.program, space.options(), 3);
    ASSERT_TRUE(found.has_value()) << edited.program.text();
    EXPECT_EQ(found->size(), edited.edits.size()) << edited.program.text();
    EXPECT_EQ(core::apply_overlapping_edits(6, *found), edited.program);
  }
}

TEST(OverlappingEditsOf, FindsWhatIsInASpaceTooLargeToEnumerate) {
  const SearchSpace space(overlapping(30, 4));
  ASSERT_GT(space.count(), 1e6);
  core::Random random(7);
  int met = 0;
  for (int i = 0; i < 300; ++i) {
    EditedProgram edited = space.identity();
    for (int edit = 0; edit < 4; ++edit) {
      if (auto child = space.extend(edited, space.candidates()[random.below(space.candidates().size())]))
        edited = *std::move(child);
    }
    const auto found = space.find(edited.program);
    ASSERT_TRUE(found.has_value()) << edited.program.text();
    EXPECT_LE(found->edits.size(), edited.edits.size());
    EXPECT_EQ(core::apply_overlapping_edits(30, found->edits), edited.program);
    met += core::parse_segments(edited.program, 30, space.segment_limits()) ? 0 : 1;
  }
  EXPECT_GT(met, 20) << "programs that no disjoint edits make";
}

TEST(OverlappingEditsOf, KnowsWhatNoSetOfEditsMakes) {
  const SpaceOptions options = overlapping(6, 0);
  for (const Program& program :
       {Program{5, 4, 3, 2, 1, 0}, Program{1, 2, 3, 4, 5}, Program{0, 1, 2, 3, 4}, Program{0, 0, 1, 2, 3, 4, 5},
        Program{0, 1, 2, 3, 4, 5, 2}, Program{0, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5}})
    EXPECT_FALSE(overlapping_edits_of(program, options, 3)) << program.text();
  SpaceOptions only_skips = options;
  only_skips.allow_repeat = false;
  EXPECT_FALSE(overlapping_edits_of({0, 1, 1, 2, 3, 4, 5}, only_skips, 3));
  SpaceOptions only_repeats = options;
  only_repeats.allow_skip = false;
  EXPECT_FALSE(overlapping_edits_of({0, 2, 3, 4, 5}, only_repeats, 3));
  EXPECT_EQ(overlapping_edits_of({0, 1, 2, 1, 2, 2, 3, 4, 5}, only_repeats, 3),
            (std::vector<core::Edit>{{1, 2, 1}, {2, 1, 1}}));
}

TEST(OverlappingEditsOf, CoversLongSkipsWithTheFewestBlocks) {
  EXPECT_EQ(overlapping_edits_of({0, 8, 9}, overlapping(10, 0), 3),
            (std::vector<core::Edit>{{1, 3, -1}, {4, 3, -1}, {7, 1, -1}}));
}

}  // namespace
}  // namespace polar::search
