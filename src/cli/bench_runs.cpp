#include "cli/bench_runs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>

#include "pool/gemm_rate.h"

namespace polar::cli {
namespace {

/// The kernel's high-water mark of this process's resident memory, in bytes; 0 where it cannot be read.
double peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024;
  }
  return 0;
}

void reset_peak_rss() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

double layer_and_head_flop(const exec::ExecStats& work, const MachineRate& machine) {
  return static_cast<double>(work.layer_rows - work.unread_rows) * machine.layer_row_flop +
         static_cast<double>(work.unread_rows) * machine.unread_row_flop +
         static_cast<double>(work.head_rows) * machine.head_row_flop;
}

/// Of the projection to queries, keys and values; of the whole layer where none has its shape.
double projection_flop(const pool::ModulePool& pool) {
  const pool::Manifest& manifest = pool.manifest();
  const int outputs = (manifest.heads + 2 * manifest.kv_heads) * manifest.head_size;
  for (const pool::MatrixShape& shape : pool.layer_matrices()) {
    if (shape.outputs == outputs && shape.inputs == manifest.hidden) return pool::row_flop({shape});
  }
  return pool::row_flop(pool.layer_matrices());
}

double ratio(std::span<const BenchSeries> series, const BenchTable& table, const BenchSeries& one) {
  const std::string& name = one.compared_with.empty() ? table.compared_with : one.compared_with;
  const auto other = std::ranges::find(series, name, &BenchSeries::name);
  if (other == series.end()) return 0;
  std::vector<double> ratios;
  for (const BenchRun& run : one.runs)
    ratios.push_back(run.rate() / std::ranges::find(other->runs, run.round, &BenchRun::round)->rate());
  return median(std::move(ratios));
}

double limit_share(const BenchSeries& series) {
  std::vector<double> shares;
  for (const BenchRun& run : series.runs)
    shares.push_back(run.distinct_flop * run.repeats / run.seconds / run.machine_flop_per_s);
  return median(std::move(shares));
}

MachineRate measure_machine(const pool::ModulePool& pool, const exec::ExecOptions& options) {
  const pool::GemmRate rate = pool::measure_gemm_rate(
      pool.layer_matrices(), {pool.dtype(), options.layer_rows, options.workers, 1, pool.device()});
  return {rate.flop_per_s, rate.way, pool::row_flop(pool.layer_matrices()), pool::row_flop(pool.head_matrices()),
          projection_flop(pool)};
}

}  // namespace

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[(values.size() - 1) / 2];
}

std::vector<BenchSeries> alternate(std::span<const BenchVariant> variants, int rounds, const pool::ModulePool& pool,
                                   const exec::ExecOptions& options, BenchTable& table) {
  std::vector<BenchSeries> series;
  for (const BenchVariant& variant : variants) {
    if (variant.warm_up) variant.warm_up();
    series.push_back({variant.name, {}, variant.compared_with});
  }
  MachineRate before = measure_machine(pool, options);
  table.machine = before;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < variants.size(); ++i) {
      BenchRun& run = series[i].runs.emplace_back(variants[i].run());
      run.round = round;
      std::cerr << fmt::format("round {} of {}, {}: {:.1f} {}/s", round + 1, rounds, variants[i].name, run.rate(),
                               table.unit)
                << std::endl;
    }
    const MachineRate after = measure_machine(pool, options);
    for (BenchSeries& one : series) one.runs.back().machine_flop_per_s = (before.flop_per_s + after.flop_per_s) / 2;
    table.slowest_flop_per_s = std::min({table.slowest_flop_per_s, before.flop_per_s, after.flop_per_s});
    if (after.flop_per_s > table.machine.flop_per_s) table.machine = after;
    before = after;
  }
  for (BenchSeries& one : series) std::ranges::stable_sort(one.runs, {}, &BenchRun::rate);
  return series;
}

BenchRun repeat(double seconds, const std::function<void()>& reset, const std::function<BenchRun()>& once) {
  double taken = 0, units = 0, peak = 0;
  while (true) {
    reset();
    reset_peak_rss();
    const auto start = std::chrono::steady_clock::now();
    BenchRun run = once();
    taken += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    units += run.units;
    peak = std::max(peak, peak_rss_bytes());
    if (taken < seconds) continue;
    run.seconds = taken;
    const double repeats = units / run.units;
    run.units = units;
    run.peak_rss_bytes = peak;
    run.repeats = repeats;
    return run;
  }
}

BenchRun repeat_cold(double seconds, exec::Executor& executor, const std::function<BenchRun()>& once) {
  const auto reset = [&executor] {
    executor.clear_cache();
    executor.reset_stats();
  };
  BenchRun run = repeat(seconds, reset, once);
  executor.clear_cache();
  return run;
}

std::string table_text(std::span<const BenchSeries> series, const BenchTable& table) {
  std::size_t width = 8;
  for (const BenchSeries& one : series) width = std::max(width, one.name.size());
  std::string text =
      fmt::format("{:<{}} | {:>10}/s | {:>17} | {:>7} | {:>10} | {:>8} | {:>8} | {:>8} | {:>7}\n", "variant", width,
                  table.unit, "least … most", "ratio", "layer rows", "GFLOP/s", "of limit", "states", "RSS");
  for (const BenchSeries& one : series) {
    const BenchRun& run = one.median();
    text += fmt::format("{:<{}} | {:>12.1f} | {:>17} | ", one.name, width, run.rate(),
                        fmt::format("{:.1f} … {:.1f}", one.runs.front().rate(), one.runs.back().rate()));
    const double factor = ratio(series, table, one);
    text += factor > 0 ? fmt::format("{:>6.2f}x | ", factor) : fmt::format("{:>7} | ", "");
    if (run.work.layer_rows == 0) {
      text += '\n';
      continue;
    }
    const double once_s = run.seconds / run.repeats;
    const double share = limit_share(one);
    text += fmt::format("{:>10.1f} | {:>8.1f} | {:>8} | {:>5.0f} MB | {:>4.0f} MB\n",
                        static_cast<double>(run.work.layer_rows) / (run.units / run.repeats),
                        layer_and_head_flop(run.work, table.machine) / once_s / 1e9,
                        share > 0 ? fmt::format("{:.1f} %", share * 100) : "",
                        static_cast<double>(run.work.peak_bytes) / kMebi, run.peak_rss_bytes / kMebi);
  }
  text += fmt::format(
      "layer rows: run through a layer, per {}; states: hidden rows, keys and values held at once; RSS: peak of the "
      "process, with what earlier variants freed\nmachine: {:.0f} … {:.0f} GFLOP/s with {} at the layers' shapes; "
      "limit: distinct work at the mean of the rates before and after the round\n",
      table.unit.substr(0, table.unit.size() - 1), table.slowest_flop_per_s / 1e9, table.machine.flop_per_s / 1e9,
      table.machine.way);
  return text;
}

nlohmann::json to_json(const BenchSeries& series, const BenchTable& table) {
  const BenchRun& run = series.median();
  std::vector<double> rates;
  for (const BenchRun& one : series.runs) rates.push_back(one.rate());
  const double once_s = run.seconds / run.repeats;
  nlohmann::json json = {{"mode", series.name}, {table.unit, run.units / run.repeats},
                         {"seconds", once_s},   {table.unit + "_per_s", run.rate()},
                         {"rates", rates},      {"correct", run.correct},
                         {"texts", run.texts}};
  if (run.work.layer_rows == 0) return json;
  json.update({{"layer_rows", run.work.layer_rows},
               {"decoded_rows", run.work.decoded_rows},
               {"unread_rows", run.work.unread_rows},
               {"padded_layer_rows", run.work.padded_layer_rows},
               {"layer_calls", run.work.layer_calls},
               {"head_rows", run.work.head_rows},
               {"waves", run.work.waves},
               {"shared_nodes", run.work.shared_nodes},
               {"computed_nodes", run.work.computed_nodes},
               {"evicted_nodes", run.work.evicted_nodes},
               {"evicted_bytes", run.work.evicted_bytes},
               {"peak_state_bytes", run.work.peak_bytes},
               {"peak_idle_bytes", run.work.peak_idle_bytes},
               {"peak_rss_bytes", run.peak_rss_bytes},
               {"flop_per_s", layer_and_head_flop(run.work, table.machine) / once_s},
               {"limit_share", limit_share(series)},
               {"machine_flop_per_s", table.machine.flop_per_s},
               {"machine_slowest_flop_per_s", table.slowest_flop_per_s},
               {"machine_way", table.machine.way}});
  return json;
}

double distinct_flop(double distinct_rows, const exec::ExecStats& work, const pool::ModulePool& pool) {
  const double layer = pool::row_flop(pool.layer_matrices());
  return (distinct_rows + static_cast<double>(work.decoded_rows)) * layer -
         static_cast<double>(work.unread_rows) * (layer - projection_flop(pool)) +
         static_cast<double>(work.head_rows) * pool::row_flop(pool.head_matrices());
}

void DistinctRows::add(const std::string& sequence, const core::Program& program, int rows) {
  const auto [root, made] = roots_.try_emplace(sequence, nodes_);
  if (made) ++nodes_;
  std::uint64_t node = root->second;
  for (core::Program::Layer layer : program.layers()) {
    const auto [child, added] = children_.try_emplace(node << 16 | layer, nodes_);
    if (added) {
      ++nodes_;
      rows_ += rows;
    }
    node = child->second;
  }
}

}  // namespace polar::cli
