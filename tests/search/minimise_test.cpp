#include "search/minimise.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace polar::search {
namespace {

using core::Program;

SpaceOptions minimiser_bounds(EditForm form) {
  return {.depth = 12, .first_layer = 1, .max_block = 3, .min_depth_ratio = 0.5, .max_depth_ratio = 1.6, .form = form};
}

TEST(ReductionsOf, LackOneEditAndHaveNoOther) {
  const SearchSpace space(minimiser_bounds(EditForm::kDisjoint));
  auto program = space.extend(space.identity(), {2, 2, -1});
  program = space.extend(*program, {5, 1, 1});
  program = space.extend(*program, {8, 3, 1});
  const auto edits = [&](Minimise minimise) {
    std::vector<std::vector<core::Edit>> all;
    for (const EditedProgram& reduced : reductions_of(*program, space, minimise)) all.push_back(reduced.edits);
    return all;
  };
  using EditLists = std::vector<std::vector<core::Edit>>;
  EXPECT_EQ(edits(Minimise::kOff), EditLists{});
  EXPECT_EQ(edits(Minimise::kRepeats), (EditLists{{{2, 2, -1}, {5, 1, 1}}, {{2, 2, -1}, {8, 3, 1}}}))
      << "shorter first";
  EXPECT_EQ(edits(Minimise::kEdits),
            (EditLists{{{2, 2, -1}, {5, 1, 1}}, {{2, 2, -1}, {8, 3, 1}}, {{5, 1, 1}, {8, 3, 1}}}));
}

/// Made by one edit after the other, each at steps of the program before it.
EditedProgram nested_of(const SearchSpace& space, const std::vector<core::Edit>& edits) {
  EditedProgram made = space.identity();
  for (const core::Edit& edit : edits) made = space.extend(made, edit).value();
  return made;
}

std::optional<Program> left_by(const SearchSpace& space, const EditedProgram& made, std::size_t removed) {
  const auto rest = space.without(made, removed);
  return rest ? std::optional(rest->program) : std::nullopt;
}

TEST(ReductionsOf, LeaveTheOtherEditsOfNestedProgramsOnTheirLayers) {
  const SearchSpace space(minimiser_bounds(EditForm::kNested));
  const EditedProgram apart = nested_of(space, {{3, 1, 1}, {8, 1, -1}});
  ASSERT_EQ(apart.program, Program::parse("0-3,3-6,8-11"));
  EXPECT_EQ(left_by(space, apart, 0), Program::parse("0-6,8-11")) << "layer 7 is still the one that is skipped";
  EXPECT_EQ(left_by(space, apart, 1), Program::parse("0-3,3-11"));
  const EditedProgram three = nested_of(space, {{8, 2, 1}, {2, 1, 1}, {14, 1, -1}});
  ASSERT_EQ(three.program, Program::parse("0-2,2-9,8-10"));
  EXPECT_EQ(left_by(space, three, 0), Program::parse("0-2,2-10"));
  EXPECT_EQ(left_by(space, three, 1), Program::parse("0-9,8-10"));
  EXPECT_EQ(left_by(space, three, 2), Program::parse("0-2,2-9,8-11"));
}

TEST(ReductionsOf, AreNoneWhereALaterNestedEditActsOnWhatAnEarlierOneMade) {
  const SearchSpace space(minimiser_bounds(EditForm::kNested));
  const EditedProgram copy = nested_of(space, {{4, 2, 1}, {6, 1, 1}});  // the second run of layer 4, twice
  ASSERT_EQ(copy.program, Program::parse("0-5,4,4-11"));
  EXPECT_EQ(left_by(space, copy, 0), std::nullopt);
  EXPECT_EQ(left_by(space, copy, 1), Program::parse("0-5,4-11"));
  const EditedProgram across =
      nested_of(space, {{4, 1, -1}, {3, 2, 1}});  // layers 3 and 5, which the skip made one block
  ASSERT_EQ(across.program, Program::parse("0-3,5,3,5-11"));
  EXPECT_EQ(left_by(space, across, 0), std::nullopt);
  EXPECT_EQ(left_by(space, across, 1), Program::parse("0-3,5-11"));
}

TEST(ReductionsOf, FindANestedProgramThatItsOrderWouldReachOutsideTheBoundsOnly) {
  SpaceOptions options = minimiser_bounds(EditForm::kNested);
  options.min_depth_ratio = 0.8;  // 10 layers at least
  options.max_edits = 4;
  const SearchSpace space(options);
  const EditedProgram made = nested_of(space, {{1, 2, 1}, {8, 2, -1}, {8, 2, -1}, {8, 2, 1}});
  ASSERT_EQ(made.program, Program::parse("0-2,1-5,10-11,10-11"));
  EXPECT_EQ(left_by(space, made, 0), Program::parse("0-5,10-11,10-11")) << "8 layers after both skips, 10 in the end";
}

TEST(ReductionsOf, LeaveTheOtherOfTwoOverlappingBlocks) {
  const SearchSpace space(minimiser_bounds(EditForm::kOverlapping));
  const auto made = space.extend(*space.extend(space.identity(), {3, 3, 1}), {5, 2, 1});
  const auto found = space.find(made->program);
  ASSERT_EQ(found->edits, (std::vector<core::Edit>{{3, 3, 1}, {5, 2, 1}}));
  EXPECT_EQ(left_by(space, *found, 0), Program::parse("0-6,5-11"));
  EXPECT_EQ(left_by(space, *found, 1), Program::parse("0-5,3-11"));
}

}  // namespace
}  // namespace polar::search
