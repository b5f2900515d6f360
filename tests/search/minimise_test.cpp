#include "search/minimise.h"

#include <gtest/gtest.h>

namespace polar::search {
namespace {

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

}  // namespace
}  // namespace polar::search
