#include "search/minimise.h"

#include <algorithm>
#include <utility>

namespace polar::search {

std::vector<EditedProgram> reductions_of(const EditedProgram& program, const SearchSpace& space, Minimise minimise) {
  std::vector<EditedProgram> reductions;
  if (minimise == Minimise::kOff) return reductions;
  for (std::size_t i = 0; i < program.edits.size(); ++i) {
    if (minimise == Minimise::kRepeats && program.edits[i].is_skip()) continue;
    auto reduced = space.without(program, i);
    if (!reduced || reduced->edits.size() >= program.edits.size()) continue;
    if (minimise == Minimise::kRepeats && reduced->program.length() >= program.program.length()) continue;
    reductions.push_back(*std::move(reduced));
  }
  std::ranges::sort(reductions, {}, &EditedProgram::program);
  const auto repeated = std::ranges::unique(reductions, {}, &EditedProgram::program);
  reductions.erase(repeated.begin(), repeated.end());
  return reductions;
}

}  // namespace polar::search
