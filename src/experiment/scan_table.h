#pragma once
// What a scan of blocks says: one row a program and level.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/edit.h"
#include "eval/statistics.h"
#include "search/evaluator.h"

namespace polar::experiment {

/// One program of a scan and its outcomes, in the order of the examples.
struct ScannedProgram {
  std::optional<core::Edit> edit;  ///< nullopt: the identity
  core::Program program;
  std::vector<search::Outcome> outcomes;
};

/// Figures of one program over the examples of one level. Changes are against the identity on the same examples.
struct ScanRow {
  std::string mode;                ///< "identity", "repeat" or "skip"
  std::optional<core::Edit> edit;  ///< nullopt: the identity
  core::Program program;
  std::string level;  ///< eval::kAllLevels: every example
  int n = 0;          ///< examples
  double accuracy = 0;
  eval::Interval accuracy_interval = {};  ///< Wilson
  int to_right = 0, to_wrong = 0;         ///< examples that only this program, only the identity answers
  double change = 0;                      ///< accuracy less the identity's
  /// Bootstrap over examples; none where nothing varies, as for the identity and for a single example.
  std::optional<eval::Interval> change_interval = std::nullopt;
  double p = 1, p_holm = 1;    ///< McNemar's exact test; corrected over the programs of the level
  double log_prob_change = 0;  ///< mean change of the answer's log-probability, natural log
  std::optional<eval::Interval> log_prob_interval = std::nullopt;  ///< as change_interval
};

/// Log-probabilities below this count as this, so that one example on which they underflow makes no mean of −∞.
inline constexpr double kLeastLogProb = -1000;

/// Rows by level, in order of appearance and then all of them, and program in the order given. `levels` has one entry
/// an example. Throws core::Error without an identity, without examples, where a program lacks an outcome, and for a
/// level named eval::kAllLevels.
std::vector<ScanRow> scan_rows(std::span<const ScannedProgram> programs, std::span<const std::string> levels,
                               std::uint64_t seed, int resamples);

/// "mode,first,last,layers,program,level,n,accuracy,accuracy_low,accuracy_high,to_right,to_wrong,change,change_low,
/// change_high,p,p_holm,log_prob_change,log_prob_low,log_prob_high" and a line a row; first and last layer of the block
/// are empty for the identity, low and high where there is no interval; layers are the program's executions.
std::string scan_csv(std::span<const ScanRow> rows);

/// The identity, and the ten best repeats and skips over all levels: by accuracy, then by log-probability, then in the
/// order of the rows. `title` is the first line's text.
std::string scan_markdown(std::span<const ScanRow> rows, const std::string& title);

}  // namespace polar::experiment
