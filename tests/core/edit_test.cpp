#include "core/edit.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::core {
namespace {

TEST(Edits, SayWhatTheyDo) {
  EXPECT_EQ(to_string(Edit{3, 3, -1}), "skip 3-5");
  EXPECT_EQ(to_string(Edit{3, 1, -1}), "skip 3");
  EXPECT_EQ(to_string(Edit{12, 3, 1}), "repeat 12-14 x2");
  EXPECT_EQ(to_string(Edit{0, 1, 4}), "repeat 0 x5");
}

TEST(Edits, NoneLeavesTheIdentity) {
  EXPECT_EQ(apply_edits(5, {}), Program::identity(5));
}

TEST(Edits, SkipAndRepeatBlocksInAnyOrder) {
  const Program expected = Program::parse("0,3-4,(5-6)*3,7");
  EXPECT_EQ(apply_edits(8, {{1, 2, -1}, {5, 2, 2}}), expected);
  EXPECT_EQ(apply_edits(8, {{5, 2, 2}, {1, 2, -1}}), expected);
}

TEST(Edits, DifferentSetsCanGiveTheSameProgram) {
  EXPECT_EQ(apply_edits(6, {{1, 2, -1}}), apply_edits(6, {{1, 1, -1}, {2, 1, -1}}));
  EXPECT_EQ(apply_edits(6, {{1, 2, -1}}), apply_edit_to_steps(apply_edits(6, {{1, 1, -1}}), {1, 1, -1}));
  EXPECT_EQ(apply_edit_to_steps(apply_edits(6, {{2, 1, 1}}), {2, 2, -1}), apply_edits(6, {{2, 1, -1}}));
}

TEST(Edits, RefuseBlocksOutsideTheLayers) {
  EXPECT_THROW(apply_edits(6, {{-1, 1, -1}}), UsageError);
  EXPECT_THROW(apply_edits(6, {{5, 2, -1}}), UsageError);
  EXPECT_THROW(apply_edits(6, {{2, 0, -1}}), UsageError);
  EXPECT_THROW(apply_edits(6, {{2147483647, 2147483647, 1}}), UsageError);
  EXPECT_THROW(apply_edits(0, {}), UsageError);
  EXPECT_THROW(apply_edits(4097, {}), UsageError);
}

TEST(Edits, RefuseRunsThatNeitherSkipNorRepeat) {
  EXPECT_THROW(apply_edits(6, {{2, 1, 0}}), UsageError);
  EXPECT_THROW(apply_edits(6, {{2, 1, -2}}), UsageError);
}

TEST(Edits, RefuseOverlapNamingBoth) {
  const std::string message = test::message_of<UsageError>([] { apply_edits(9, {{4, 3, 1}, {2, 3, -1}}); });
  EXPECT_NE(message.find("'skip 2-4' and 'repeat 4-6 x2'"), std::string::npos) << message;
  EXPECT_NO_THROW(apply_edits(9, {{5, 3, 1}, {2, 3, -1}}));
}

TEST(Edits, RefuseToLeaveNothingOrTooMuch) {
  EXPECT_THROW(apply_edits(4, {{0, 4, -1}}), UsageError);
  EXPECT_THROW(apply_edits(4, {{0, 4, 1024}}), UsageError);
  EXPECT_THROW(apply_edits(4, {{0, 4, 2147483647}}), UsageError);
  EXPECT_EQ(apply_edits(4, {{0, 4, 1023}}).length(), 4096);
}

TEST(OverlappingEdits, EqualDisjointOnesWhereBlocksDoNotMeet) {
  const std::vector<Edit> edits{{7, 2, 2}, {1, 2, -1}, {4, 1, 1}};
  EXPECT_EQ(apply_overlapping_edits(10, edits), apply_edits(10, edits));
  EXPECT_EQ(apply_overlapping_edits(3, {}), Program::identity(3));
}

TEST(OverlappingEdits, RunARepeatsWholeBlockAfterItsLastLayer) {
  EXPECT_EQ(apply_overlapping_edits(6, {{1, 3, 1}, {2, 3, 1}}), Program({0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5}));
  EXPECT_EQ(apply_overlapping_edits(5, {{1, 3, 1}, {2, 1, -1}}), Program({0, 1, 3, 1, 2, 3, 4}));
  EXPECT_EQ(apply_overlapping_edits(4, {{2, 1, 1}, {1, 2, 1}}), Program({0, 1, 2, 1, 2, 2, 3}));
  EXPECT_EQ(apply_overlapping_edits(4, {{1, 2, -1}, {2, 2, -1}}), Program({0}));
}

TEST(OverlappingEdits, RefuseWhatIsNoEditAndToLeaveNothingOrTooMuch) {
  EXPECT_THROW(apply_overlapping_edits(4, {{3, 2, 1}}), UsageError);
  EXPECT_THROW(apply_overlapping_edits(4, {{1, 1, 0}}), UsageError);
  EXPECT_THROW(apply_overlapping_edits(4, {{0, 3, -1}, {1, 3, -1}}), UsageError);
  EXPECT_THROW(apply_overlapping_edits(4, {{0, 4, 1024}}), UsageError);
}

TEST(EditsOfSteps, ActOnTheSequenceSoThatProgramsNest) {
  const Program once = apply_edit_to_steps(Program::identity(4), {1, 2, 1});
  EXPECT_EQ(once, Program({0, 1, 2, 1, 2, 3}));
  EXPECT_EQ(apply_edit_to_steps(once, {2, 2, 1}), Program({0, 1, 2, 1, 2, 1, 2, 3}));
  EXPECT_EQ(apply_edit_to_steps(once, {4, 2, -1}), Program({0, 1, 2, 1}));
}

TEST(EditsOfSteps, RefuseBlocksOutsideTheStepsAndEmptyResults) {
  const Program program({0, 1, 1});
  EXPECT_THROW(apply_edit_to_steps(program, {2, 2, 1}), UsageError);
  EXPECT_THROW(apply_edit_to_steps(program, {0, 3, -1}), UsageError);
  EXPECT_THROW(apply_edit_to_steps(program, {0, 1, 0}), UsageError);
}

}  // namespace
}  // namespace polar::core
