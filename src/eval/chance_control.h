#pragma once
// The chance control: how often answers are right by luck, measured by grading them against the answers of other
// examples (method.md 2).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/label_analysis.h"
#include "eval/metrics.h"

namespace polar::eval {

/// One example, and what each of the programs that the search tried on it answers.
struct AnsweredExample {
  std::string level;
  std::string reference;
  std::vector<std::string> answers;  ///< extracted, whole; empty: none was found, which is never right
  std::size_t identity = 0;          ///< place of the unchanged model's answer
  int disagreements = 0;             ///< answers whose verdict is not the recorded one
};

/// Whether an extracted answer is right, as TextGrader::judge says of the text it came from.
inline bool is_right(const SameAnswer& same, std::string_view answer, std::string_view reference) {
  return !answer.empty() && same(answer, reference);
}

struct ChanceFigureOptions {
  SameAnswer same;              ///< required
  int permutations = 1000;      ///< ≥ 1
  std::uint64_t root_seed = 0;  ///< of permutations and bootstrap
  int resamples = 1000;         ///< ≥ 2
};

/// Figures by level, and of all of them pooled. References are permuted among the examples of a level, none onto an
/// example whose own reference is the same answer (RestrictedPermutations); the p-th permutations of all levels make up
/// the p-th of all examples.
///  counts     examples | answers: graded | disagreements
///  any_of_n   observed: share of examples that some answer is right for (Wilson's interval); chance: the same with
///             permuted references, mean over permutations, and the interval that holds 95 % of the permutations;
///             excess: observed − chance
///  rescued    the same for examples that the unchanged model answers wrongly: share that some answer is right for.
///             Chance is W→C by luck: a permuted reference that the unchanged model's answer happens to meet would not
///             be W→C, so that such a pair of example and reference counts neither way
/// Interval of the excess: each bootstrap resample draws examples with replacement, each with its own verdict and its
/// mean chance over all permutations, and, apart from that, permutations with replacement; the deviation of the
/// resampled permutations' mean from the overall mean is subtracted, so that both sources of error are in the interval,
/// which is cut at −1 and 1. With a handful of examples, as few as a level may have rescued, a bootstrap is too narrow.
/// A level of which more than half of the examples have the same answer (say, all of them) allows no such permutation:
/// it has `observed` alone, whose note says so, and is no part of all levels.
/// Throws core::Error when there is no example, one has no answers, or a level is named kAllLevels.
std::vector<LabelFigure> chance_figures(std::span<const AnsweredExample> examples, const ChanceFigureOptions& options);

}  // namespace polar::eval
