#pragma once
// What several seeds of one experiment say together: other splits, drawings and initial weights, each evaluated alone.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/metrics.h"

namespace polar::eval {

/// The evaluation of one seed.
struct SeedRows {
  std::uint64_t seed = 0;
  std::vector<EvaluationRow> rows;
};

/// A figure of all levels pooled (metrics.h, k = 1) over the seeds. p-values are not combined, since the splits of two
/// seeds share questions: their greatest counts.
struct SeedFigure {
  std::string policy, split, metric;
  bool oracle = false;
  std::vector<double> values;  ///< by seed
  double mean = 0;
  double deviation = 0;  ///< of the sample (n − 1); 0 for one seed
};

/// Of every split, policy and metric that all seeds have, in the order of the first seed. `depth`: layers of the model.
/// Throws core::UsageError without seeds, and as figures_of() does.
std::vector<SeedFigure> seed_figures(std::span<const SeedRows> seeds, int depth);

/// "policy,split,metric,seeds,mean,deviation,least,greatest" and one line a figure.
std::string seeds_csv(std::span<const SeedFigure> figures);

/// Markdown, a table a split: accuracy of each seed and their mean with deviation, the gain over base and over
/// static_best (mean, and the least of any seed), the greatest p of any seed, depth ratio and share of the identity.
std::string seeds_markdown(std::span<const SeedFigure> figures, std::span<const std::uint64_t> seeds);

}  // namespace polar::eval
