#pragma once
// What the measurements of polar bench have in common: variants that run in turn, medians, tables.

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/program.h"
#include "exec/executor.h"
#include "pool/module_pool.h"

namespace polar::cli {

constexpr double kMebi = 1 << 20;

/// One timed run of a variant.
struct BenchRun {
  double seconds = 0;
  double units = 0;           ///< rollouts, or tokens
  double repeats = 1;         ///< how often the work below was done in these seconds
  exec::ExecStats work;       ///< zero for another program's run
  double distinct_flop = 0;   ///< that any way must do at least once (distinct_flop()); 0 where unknown
  double peak_rss_bytes = 0;  ///< of this process during the run; 0 for another program's run
  int round = 0;
  double machine_flop_per_s = 0;  ///< mean of the machine's rates measured before and after the round
  std::vector<int> correct;       ///< verdicts in input order; may be empty
  std::vector<std::string> texts;

  double rate() const { return units / seconds; }
};

struct BenchVariant {
  std::string name;
  std::function<void()> warm_up;
  std::function<BenchRun()> run;
  std::string compared_with = "";  ///< name of the variant that its ratio refers to; empty: the table's
};

struct BenchSeries {
  std::string name;
  std::vector<BenchRun> runs;      ///< by rate, ascending
  std::string compared_with = "";  ///< the variant's

  /// Of an even number the slower one of the middle two.
  const BenchRun& median() const { return runs[(runs.size() - 1) / 2]; }
};

/// Of an even number the lower one of the middle two. Not of none.
double median(std::vector<double> values);

/// Calls `once` until `seconds` have passed; `reset` comes before every call, outside the time taken. The returned run
/// is the last one's with the units and seconds of all.
BenchRun repeat(double seconds, const std::function<void()>& reset, const std::function<BenchRun()>& once);

/// repeat(), with the executor's cache empty and its counts at zero before every call; empty after the last too, or the
/// next variant's memory would hold it.
BenchRun repeat_cold(double seconds, exec::Executor& executor, const std::function<BenchRun()>& once);

/// The machine's GEMM rate at the pool's layer shapes.
struct MachineRate {
  double flop_per_s = 0;
  std::string way;
  double layer_row_flop = 0, head_row_flop = 0;
  double unread_row_flop = 0;  ///< of a layer row that leaves after keys and values
};

struct BenchTable {
  std::string unit;           ///< "rollouts"
  std::string compared_with;  ///< name of the series that ratios of others refer to; empty: none
  MachineRate machine = {};   ///< the best that was measured
  double slowest_flop_per_s = std::numeric_limits<double>::infinity();  ///< the worst
};

/// Warms every variant up, then runs all of them in turn, `rounds` times; says each rate on standard error. Before
/// every round and after the last it measures the machine with the row count and workers of the options, since whatever
/// else runs on it may slow it for a while; the best rate goes into the table.
std::vector<BenchSeries> alternate(std::span<const BenchVariant> variants, int rounds, const pool::ModulePool& pool,
                                   const exec::ExecOptions& options, BenchTable& table);

/// One line a series: median rate and spread; the medians over the rounds of the ratio within a round and of the share
/// of the limit; GFLOP/s and memory of the median run.
std::string table_text(std::span<const BenchSeries> series, const BenchTable& table);
nlohmann::json to_json(const BenchSeries& series, const BenchTable& table);

/// What cannot be avoided: distinct rows and those of written tokens through whole layers, but for rows that nobody
/// reads in their program's last step, which need their keys and values only; and the heads read.
double distinct_flop(double distinct_rows, const exec::ExecStats& work, const pool::ModulePool& pool);

/// Distinct (token sequence, program prefix) pairs, each times the sequence's rows: what no sharing can avoid.
class DistinctRows {
 public:
  void add(const std::string& sequence, const core::Program& program, int rows);
  double rows() const { return rows_; }

 private:
  std::unordered_map<std::string, std::uint64_t> roots_;
  std::unordered_map<std::uint64_t, std::uint64_t> children_;  ///< node · 2^16 + layer → node
  std::uint64_t nodes_ = 0;
  double rows_ = 0;
};

}  // namespace polar::cli
