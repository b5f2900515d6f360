#pragma once
// Removing edits that a valid program does not need.

#include <vector>

#include "search/options.h"
#include "search/space.h"

namespace polar::search {

/// The programs of the space that lack one of the program's edits and have no other: those that kRepeats or kEdits may
/// try, shorter ones first. Empty for kOff.
std::vector<EditedProgram> reductions_of(const EditedProgram& program, const SearchSpace& space, Minimise minimise);

}  // namespace polar::search
