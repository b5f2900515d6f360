#pragma once
// The best of several policies at each k.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/metrics.h"

namespace polar::eval {

/// Base sampling at the temperature that is best at each k, as PoLar's table has it (arXiv 2606.06574; method.md 5).
inline constexpr std::string_view kBestSampling = "base_sampling_best";

/// pass@k, vote@k and select@k of `policy`: in each split, for each metric and k, those of the member whose value over
/// all levels is greatest (equal ones: the member named first), at every level. An optimistic choice: it is made on the
/// very examples whose figures are given, and the intervals know nothing of it, so every figure is marked as an
/// oracle's.
std::vector<Figure> best_of(std::span<const Figure> figures, std::span<const std::string> members,
                            const std::string& policy);

}  // namespace polar::eval
