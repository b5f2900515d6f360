#pragma once
// Removing edits that a valid program does not need.

#include <vector>

#include "search/evaluator.h"
#include "search/options.h"
#include "search/result.h"
#include "search/space.h"

namespace polar::search {

/// The programs of the space that lack one of the program's edits and have no other: those that kRepeats or kEdits may
/// try, shorter ones first. Empty for kOff.
std::vector<EditedProgram> reductions_of(const EditedProgram& program, const SearchSpace& space, Minimise minimise);

/// What is left of a valid program when edits are removed one by one while it stays valid. Of the reductions of one
/// step that are valid, the most optimal goes on. The result is *minimal*: no reduction of it is valid.
/// Each step is one batch of at most edits.size() trials; `trials` are all of them, in order.
struct Minimised {
  EditedProgram program;
  Outcome outcome;
  std::vector<RecordedTrial> trials;
};
/// `outcome` is the program's own, which must be correct (Error otherwise).
Minimised minimise(const task::ExampleId& example, EditedProgram program, Outcome outcome, const SearchSpace& space,
                   Minimise minimise, Evaluator& evaluator);

}  // namespace polar::search
