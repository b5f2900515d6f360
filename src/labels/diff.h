#pragma once
// Comparing the labels of two files, trial by trial.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "labels/label_source.h"

namespace polar::labels {

struct DiffCount {
  std::string level;
  std::int64_t both = 0;  ///< trials (example, program, sample) that stand in both
  std::int64_t only_a = 0, only_b = 0;
  std::int64_t right_to_wrong = 0, wrong_to_right = 0;  ///< of those in both: flips from a to b
  std::int64_t other_scores = 0;  ///< same verdict, log-probability or margin differ in a bit; 0 where unknown
  friend bool operator==(const DiffCount&, const DiffCount&) = default;
};

struct TrialDifference {
  enum class Kind { kOnlyA, kOnlyB, kFlip };
  Kind kind;
  std::string level;
  search::Trial trial;
  bool correct_a = false, correct_b = false;  ///< where it stands
};

/// Counts by level, in order of level. A trial that stands in a file more than once counts once, as first recorded. A
/// level is that of `a` where the example is in both. `on_difference` (may be empty) receives what is only in one file
/// and every flip, example by example in order of id, programs from the smaller to the larger.
std::vector<DiffCount> diff_labels(const LabelSource& a, const LabelSource& b,
                                   const std::function<void(const TrialDifference&)>& on_difference = {});

}  // namespace polar::labels
