#pragma once
// Figures of an evaluation (method.md 4), from its rows.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/rows.h"

namespace polar::eval {

inline constexpr std::string_view kAllLevels = "all";
inline constexpr std::string_view kBase = "base";               ///< the policy that runs the identity
inline constexpr std::string_view kStaticBest = "static_best";  ///< the policy that runs one program throughout
inline constexpr std::string_view kLabelPrior = "label_prior";  ///< the policy that knows the labels, not the input

/// One number of a report. `k`: the figure is about the first k ranked programs; 1 where only ranked[0] matters.
struct Figure {
  std::string policy;
  std::string split;
  std::string level;  ///< kAllLevels: all examples of the split pooled, so levels weigh by their size
  int n = 0;          ///< examples
  std::string metric;
  int k = 1;
  double value = 0;
  std::optional<double> ci_low = std::nullopt;   ///< 95 %; none for p-values
  std::optional<double> ci_high = std::nullopt;  ///< both or neither
  bool oracle = false;                           ///< the reference answer was needed; not a column of results.csv
  friend bool operator==(const Figure&, const Figure&) = default;
};

/// Whether two answers count as the same one (TextGrader::same). Symmetric; asked for texts that are not empty.
using SameAnswer = std::function<bool(std::string_view, std::string_view)>;

struct MetricOptions {
  int depth = 0;                   ///< D of the model; required
  int max_k = 5;                   ///< ≥ 1; k also ends at the policy's longest ranking in the split
  SameAnswer same;                 ///< required
  std::uint64_t root_seed = 0;     ///< of the bootstrap; each figure has its own stream
  int bootstrap_resamples = 1000;  ///< ≥ 2
};

/// The answer that most of the first k programs give, as the rank of the earliest program that gives it. Equal counts:
/// the answer met first. An empty answer does not vote; when all are empty the result is 0. An answer joins the first
/// group whose earliest member is the same. k ≥ 1 and the ranking may be shorter than k.
std::size_t vote(std::span<const Candidate> ranked, int k, const SameAnswer& same);

/// Rank of the highest confidence among the first k; equal ones: the earliest.
std::size_t select(std::span<const Candidate> ranked, int k);

/// Every figure of every policy, split and level that has rows, and of all levels of a split pooled (kAllLevels);
/// splits, policies and levels in order of appearance, kAllLevels last. Where a ranking is shorter than k, all of it
/// counts.
///
/// metric           value                                                                 interval
/// pass@k           share with a right answer among the first k; an oracle for k > 1      Wilson
/// vote@k           share where vote(k) is right; deployable; k ≥ 2                       Wilson
/// select@k         share where select(k) is right; deployable; k ≥ 2                     Wilson
/// layers           mean layer executions a token of ranked[0]                            bootstrap
/// layers@k         mean sum of layer executions a token over the first k: what vote@k and
///                  select@k cost; k ≥ 2                                                  bootstrap
/// unique_layers    mean number of distinct layers of ranked[0]                           bootstrap
/// depth_ratio      mean of layers / depth                                                bootstrap
/// new_tokens       mean number of generated tokens of ranked[0]                          bootstrap
/// executions       mean layer executions of the whole answer of ranked[0]                bootstrap
/// executions_ratio their sum over base's                                                 none
/// identity_share   share of ranked[0] equal to the identity program                      Wilson
/// pass_without_identity@k
///                  share with a right answer among those of the first k that are not the
///                  identity; an oracle for k > 1                                         Wilson
/// distinct_programs@k
///                  number of distinct programs among the first k of all examples         none
/// distinct_sets@k  number of distinct sets that the first k of an example make           none
/// set_entropy@k    entropy of those sets over the examples, in bits: 0 where every
///                  example gets the same set                                             none
/// flips_to_wrong   share that base answers rightly and this policy wrongly               Wilson
/// flips_to_right   share that base answers wrongly and this policy rightly               Wilson
/// mcnemar_p        McNemar's exact p of ranked[0] against base                           none
/// mcnemar_p_holm   that, corrected (Holm) over the deployable policies that are
///                  compared with base in the same split and level                        none
/// mcnemar_p_static McNemar's exact p of ranked[0] against static_best                    none
/// mcnemar_p_static_holm
///                  that, corrected over the deployable policies (base among them) that
///                  are compared with static_best in the same split and level             none
/// mcnemar_p_prior, mcnemar_p_prior_holm
///                  the same against label_prior: what a per-input policy must beat       none
///
/// Of a cascade, identity_share and the programs and sets are of the program whose answer it gave; layers and tokens
/// are of all that it ran.
///
/// Flips are given for every policy but base. p-values are given for deployable policies only: an oracle knows the
/// answers, so that a test of it says nothing. Latency figures are the caller's to append.
///
/// Throws core::Error when a policy has an example twice in a split, when base (or static_best or label_prior, where
/// they have rows in the split) lacks an example of another policy, when a policy is an oracle in some rows only, when
/// a level is named kAllLevels, or when a row has no program; core::UsageError for options out of range.
std::vector<Figure> figures_of(std::span<const EvaluationRow> rows, const MetricOptions& options);

}  // namespace polar::eval
