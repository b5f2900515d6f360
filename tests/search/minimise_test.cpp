#include "search/minimise.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/seed.h"
#include "search/evaluators.h"
#include "support/fake_evaluator.h"

namespace polar::search {
namespace {

using testing::arbitrary_outcome;
using testing::RuleEvaluator;

SpaceOptions bounds(EditForm form) {
  return {.depth = 12, .first_layer = 1, .max_block = 3, .min_depth_ratio = 0.5, .max_depth_ratio = 1.6, .form = form};
}

/// A program of up to five random edits.
EditedProgram some_program(const SearchSpace& space, core::Random& random) {
  EditedProgram program = space.identity();
  for (int tries = 0; tries < 40 && program.edits.size() < 5; ++tries) {
    if (auto larger = space.extend(program, space.candidates()[random.below(space.candidates().size())]))
      program = *std::move(larger);
  }
  return program;
}

TEST(ReductionsOf, LackOneEditAndHaveNoOther) {
  const SearchSpace space(bounds(EditForm::kDisjoint));
  auto program = space.extend(space.identity(), {2, 2, -1});
  program = space.extend(*program, {5, 1, 1});
  program = space.extend(*program, {8, 3, 1});
  const auto edits = [&](Minimise minimise) {
    std::vector<std::vector<core::Edit>> all;
    for (const EditedProgram& reduced : reductions_of(*program, space, minimise)) all.push_back(reduced.edits);
    return all;
  };
  using Edits = std::vector<std::vector<core::Edit>>;
  EXPECT_EQ(edits(Minimise::kOff), Edits{});
  EXPECT_EQ(edits(Minimise::kRepeats), (Edits{{{2, 2, -1}, {5, 1, 1}}, {{2, 2, -1}, {8, 3, 1}}})) << "shorter first";
  EXPECT_EQ(edits(Minimise::kEdits), (Edits{{{2, 2, -1}, {5, 1, 1}}, {{2, 2, -1}, {8, 3, 1}}, {{5, 1, 1}, {8, 3, 1}}}));
}

TEST(MinimiseTest, LeavesAValidProgramOfWhichNoReductionIsValid) {
  RuleEvaluator evaluator([](const Trial& trial) { return arbitrary_outcome(trial, 0.5); });
  core::Random random(4);
  int shortened = 0;
  for (const EditForm form : {EditForm::kDisjoint, EditForm::kOverlapping, EditForm::kNested}) {
    const SearchSpace space(bounds(form));
    for (const Minimise kind : {Minimise::kRepeats, Minimise::kEdits}) {
      for (int i = 0; i < 60; ++i) {
        const task::ExampleId example = std::to_string(i);
        const EditedProgram program = some_program(space, random);
        const Outcome outcome = arbitrary_outcome({example, program.program, {}}, 0.5);
        if (!outcome.correct) continue;
        const Minimised result = minimise(example, program, outcome, space, kind, evaluator);
        EXPECT_TRUE(arbitrary_outcome({example, result.program.program, {}}, 0.5).correct);
        EXPECT_EQ(result.outcome, arbitrary_outcome({example, result.program.program, {}}, 0.5));
        for (const EditedProgram& reduced : reductions_of(result.program, space, kind))
          EXPECT_FALSE(arbitrary_outcome({example, reduced.program, {}}, 0.5).correct) << reduced.program.text();
        EXPECT_TRUE(kind == Minimise::kEdits || result.program.program.length() <= program.program.length());
        shortened += result.program.edits.size() < program.edits.size() ? 1 : 0;
      }
    }
  }
  EXPECT_GT(shortened, 50);
}

TEST(MinimiseTest, TakesTheMostOptimalReductionOfAStep) {
  // Everything is valid: the longest repeat goes first, then the other; the skip stays where only repeats may go.
  RuleEvaluator evaluator([](const Trial&) { return Outcome{.correct = true}; });
  const SearchSpace space(bounds(EditForm::kDisjoint));
  auto program = space.extend(space.identity(), {2, 2, -1});
  program = space.extend(*program, {5, 1, 1});
  program = space.extend(*program, {8, 3, 1});
  const Minimised repeats = minimise("a", *program, {.correct = true}, space, Minimise::kRepeats, evaluator);
  EXPECT_EQ(repeats.program.edits, (std::vector<core::Edit>{{2, 2, -1}}));
  EXPECT_EQ(repeats.trials.size(), 3U) << "two reductions, then one";
  const Minimised edits = minimise("a", *program, {.correct = true}, space, Minimise::kEdits, evaluator);
  EXPECT_EQ(edits.program, space.identity());
}

TEST(MinimiseTest, RefusesAProgramThatAnswersWrongly) {
  RuleEvaluator evaluator([](const Trial&) { return Outcome{}; });
  const SearchSpace space(bounds(EditForm::kDisjoint));
  EXPECT_THROW(minimise("a", space.identity(), {}, space, Minimise::kEdits, evaluator), core::Error);
}

}  // namespace
}  // namespace polar::search
