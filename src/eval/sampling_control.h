#pragma once
// The sampling control: what as many samples of the unchanged model solve as the search tried programs (method.md 2).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/label_analysis.h"

namespace polar::eval {

/// What became of one example that the search tried n programs on.
struct SampledExample {
  std::string level;
  bool identity = false;                   ///< the unchanged model, decoded greedily, was right
  bool search = false;                     ///< any of the search's n programs was
  std::vector<std::vector<bool>> samples;  ///< [temperature][n]: verdicts of the unchanged model's samples
};

struct SamplingFigureOptions {
  std::vector<double> temperatures;
  std::uint64_t root_seed = 0;  ///< of the bootstrap
  int resamples = 1000;         ///< ≥ 2
};

/// Figures by level, and of all of them pooled:
///  counts      examples | tries each: mean n
///  solved      identity: greedily; search: by any of n programs; T=t: by any of n samples at the temperature t;
///              greedy+T=t: the greedy answer is the first try, n − 1 samples the others (as the search's first program
///              is the identity). Wilson's intervals
///  difference  search - sampling: solved by the search less solved by the best sampling, which is the way of sampling
///              (T or greedy+T, any temperature) that solves most of the level, ties to the one named first; note: its
///              name. Chosen after the fact, so that it is no easier to beat than any of them. Paired bootstrap over
///              examples, the choice kept
///  p_value     search - sampling: McNemar's exact p of the same pairs
/// Throws core::Error when there is no example, one has not n ≥ 1 samples at each temperature, or a level is named
/// kAllLevels.
std::vector<LabelFigure> sampling_figures(std::span<const SampledExample> examples,
                                          const SamplingFigureOptions& options);

}  // namespace polar::eval
