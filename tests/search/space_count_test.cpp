// Spaces of overlapping and nested edits, which are enumerated, against brute force.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "search/space.h"

namespace polar::search {
namespace {

using core::Program;

// Spaces of other forms, small enough to follow by brute force.
SpaceOptions formed(EditForm form) {
  return {.depth = 6,
          .first_layer = 1,
          .end_layer = 5,
          .max_block = 2,
          .min_depth_ratio = 0.5,
          .max_depth_ratio = 1.5,
          .max_edits = 2,
          .form = form};
}

/// Every set of at most two candidate edits of the identity, applied without SearchSpace.
std::set<Program> overlapping_pairs(const SearchSpace& space) {
  std::set<Program> programs{Program::identity(space.depth())};
  const auto add = [&](const std::vector<core::Edit>& edits) {
    const Program program = core::apply_overlapping_edits(space.depth(), edits);
    if (program.length() >= space.min_layers() && program.length() <= space.max_layers()) programs.insert(program);
  };
  for (const core::Edit& a : space.candidates()) {
    add({a});
    for (const core::Edit& b : space.candidates()) {
      if (a < b) add({a, b});
    }
  }
  return programs;
}

/// Every step edit of every step edit of the identity, within the bounds on the way.
std::set<Program> nested_pairs(const SearchSpace& space, int later_max_block) {
  std::set<Program> level{Program::identity(space.depth())}, programs = level;
  for (int edits = 0; edits < 2; ++edits) {
    std::set<Program> next;
    for (const Program& program : level) {
      for (int first = 0; first < program.length(); ++first) {
        for (int length = 1; length <= (edits > 0 ? later_max_block : 2) && first + length <= program.length();
             ++length) {
          for (const int extra : {-1, 1}) {
            bool editable = true;
            for (int step = first; step < first + length; ++step)
              editable = editable && program[static_cast<std::size_t>(step)] >= 1 &&
                         program[static_cast<std::size_t>(step)] < 5;
            const int layers = program.length() + extra * length;
            if (!editable || layers < space.min_layers() || layers > space.max_layers()) continue;
            next.insert(core::apply_edit_to_steps(program, {first, length, extra}));
          }
        }
      }
    }
    programs.insert(next.begin(), next.end());
    level = std::move(next);
  }
  return programs;
}

std::vector<EditedProgram> every(const SearchSpace& space) {
  return space.enumerate().value();
}

std::set<Program> enumerated(const SearchSpace& space) {
  std::set<Program> programs;
  for (const EditedProgram& edited : every(space)) EXPECT_TRUE(programs.insert(edited.program).second);
  return programs;
}

TEST(SearchSpaceFormsTest, EnumeratesOverlappingAndNestedEditsAsBruteForceDoes) {
  const SearchSpace overlapping(formed(EditForm::kOverlapping));
  EXPECT_EQ(enumerated(overlapping), overlapping_pairs(overlapping));
  SpaceOptions options = formed(EditForm::kNested);
  EXPECT_EQ(enumerated(SearchSpace(options)), nested_pairs(SearchSpace(options), 2));
  options.later_max_block = 1;
  EXPECT_EQ(enumerated(SearchSpace(options)), nested_pairs(SearchSpace(options), 1));
  for (const EditForm form : {EditForm::kOverlapping, EditForm::kNested}) {
    const SearchSpace space(formed(form));
    double sum = 0;
    for (int layers = 0; layers <= 10; ++layers) sum += space.count(layers);
    EXPECT_TRUE(space.counted());
    EXPECT_EQ(space.count(), sum);
    EXPECT_EQ(static_cast<double>(enumerated(space).size()), sum);
  }
}

TEST(SearchSpaceFormsTest, HoldsEveryProgramOfTheStricterForms) {
  const std::set<Program> disjoint = enumerated(SearchSpace(formed(EditForm::kDisjoint)));
  const std::set<Program> overlapping = enumerated(SearchSpace(formed(EditForm::kOverlapping)));
  EXPECT_TRUE(std::ranges::includes(overlapping, disjoint));
  EXPECT_GT(overlapping.size(), disjoint.size());
  SpaceOptions options = formed(EditForm::kNested);
  options.max_edits = 3;  // a skip of two layers with a loop between them takes two
  EXPECT_TRUE(std::ranges::includes(enumerated(SearchSpace(options)), overlapping));
}

TEST(SearchSpaceFormsTest, FindsTheEditFormOfAProgram) {
  for (const EditForm form : {EditForm::kDisjoint, EditForm::kOverlapping, EditForm::kNested}) {
    const SearchSpace space(formed(form));
    for (const EditedProgram& edited : every(space)) EXPECT_EQ(space.find(edited.program), edited);
    EXPECT_FALSE(space.find({5, 4, 3, 2, 1, 0}));
    EXPECT_FALSE(space.find({1, 2, 3, 4, 5})) << "layer 0 is never edited";
    EXPECT_FALSE(space.find({0, 1, 2, 3, 4})) << "nor layer 5";
  }
}

TEST(SearchSpaceFormsTest, FindsDisjointEditsInANestedSpaceTooLargeToEnumerate) {
  const SearchSpace space({.depth = 24, .form = EditForm::kNested});
  EXPECT_FALSE(space.counted());
  EXPECT_NE(space.describe().find("more than 100000 programs of 22 to 27 layers"), std::string::npos)
      << space.describe();
  const auto repeated = space.extend(space.identity(), {5, 2, 1});
  const auto program = space.extend(*repeated, {12, 1, -1});
  const auto found = space.find(program->program);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->program, program->program);
}

TEST(SearchSpaceFormsTest, TakesEditsOutOneByOne) {
  for (const EditForm form : {EditForm::kDisjoint, EditForm::kOverlapping, EditForm::kNested}) {
    const SearchSpace space(formed(form));
    for (const EditedProgram& edited : every(space)) {
      for (std::size_t i = 0; i < edited.edits.size(); ++i) {
        const auto rest = space.without(edited, i);
        if (!rest) continue;
        EXPECT_LT(rest->edits.size(), edited.edits.size());
        EXPECT_TRUE(space.find(rest->program).has_value());
      }
    }
    const auto single = space.extend(space.identity(), {2, 2, 1});
    EXPECT_EQ(space.without(*single, 0), space.identity());
  }
}

/// Whatever the order in which they were made: each at the step where its block stands then.
TEST(SearchSpaceFormsTest, LeavesTheOtherOfTwoBlocksThatAreApartWhenOneIsTakenOut) {
  const SearchSpace nested(formed(EditForm::kNested)), disjoint(formed(EditForm::kDisjoint));
  int pairs = 0;
  for (const core::Edit& a : disjoint.candidates()) {
    for (const core::Edit& b : disjoint.candidates()) {
      if (a.last() >= b.first) continue;
      const core::Edit moved{b.first + a.length * a.extra_runs, b.length, b.extra_runs};
      for (const bool a_first : {true, false}) {
        const auto first = nested.extend(nested.identity(), a_first ? a : b);
        const auto both = first ? nested.extend(*first, a_first ? moved : a) : std::nullopt;
        if (!both) continue;
        for (const bool a_stays : {true, false}) {
          const auto alone = disjoint.extend(disjoint.identity(), a_stays ? a : b);
          const auto rest = nested.without(*both, a_stays == a_first ? 1 : 0);
          ASSERT_EQ(rest.has_value(), alone.has_value());
          EXPECT_TRUE(!rest || rest->program == alone->program);
          ++pairs;
        }
      }
    }
  }
  EXPECT_GT(pairs, 50);
}

TEST(SearchSpaceFormsTest, LimitsHowOftenALayerRunsAndHowLongARepeatIs) {
  for (const EditForm form : {EditForm::kDisjoint, EditForm::kOverlapping, EditForm::kNested}) {
    SpaceOptions options = formed(form);
    options.max_extra_runs = 3;
    options.max_layer_runs = 2;
    options.max_repeated_block = 1;
    const SearchSpace space(options);
    for (const core::Edit& edit : space.candidates()) EXPECT_TRUE(edit.is_skip() || edit.length == 1);
    for (const Program& program : enumerated(space)) {
      std::map<int, int> runs;
      for (const Program::Layer layer : program.layers()) EXPECT_LE(++runs[layer], 2) << program.text();
    }
  }
}

}  // namespace
}  // namespace polar::search
