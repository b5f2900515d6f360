#include "search/result.h"

namespace polar::search {

bool more_optimal(const RecordedTrial& a, const RecordedTrial& b) {
  if (a.outcome.correct != b.outcome.correct) return a.outcome.correct;
  if (a.program.length() != b.program.length()) return a.program.length() < b.program.length();
  if (a.outcome.margin != b.outcome.margin) return a.outcome.margin > b.outcome.margin;
  return a.program < b.program;
}

}  // namespace polar::search
