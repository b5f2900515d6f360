#include "experiment/algorithm_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>

#include "core/error.h"
#include "core/seed.h"
#include "eval/levels.h"

namespace polar::experiment {
namespace {

/// One algorithm read at one budget, by example.
using States = std::vector<search::Progressed>;

States states_at(const AlgorithmRun& run, int rollouts) {
  States states;
  for (const search::SearchResult& result : run.results) states.push_back(search::after(result.trials, rollouts));
  return states;
}

int budget_of(const AlgorithmRun& run, int rollouts) {
  if (!run.exhaustive) return rollouts;
  std::size_t longest = 0;
  for (const search::SearchResult& result : run.results) longest = std::max(longest, result.trials.size());
  return static_cast<int>(longest);
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::uint64_t bootstrap_seed(const AlgorithmRow& row, const AlgorithmTableOptions& options) {
  return core::derive_seed(options.seed, "bench algorithms", row.level);
}

/// Sets a mean, a double or an optional one, and its bootstrap interval; without values both stay as they are.
template <typename Mean>
void set_mean(Mean& to, eval::Interval& interval, std::span<const double> values, std::uint64_t seed, int resamples) {
  if (values.empty()) return;
  to = mean(values);
  interval = eval::bootstrap_mean_interval(values, seed, resamples);
}

/// The examples of one row, and what is drawn from them.
class LevelView {
 public:
  LevelView(std::span<const std::string> levels, const std::string& level) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (level == eval::kAllLevels || levels[i] == level) examples_.push_back(i);
    }
  }

  const std::vector<std::size_t>& examples() const { return examples_; }

  void fill(AlgorithmRow& row, const AlgorithmRun& run, const States& states,
            const AlgorithmTableOptions& options) const {
    std::vector<double> hits, used, layers;
    for (const std::size_t i : examples_) {
      hits.push_back(states[i].first_hit.value_or(row.rollouts));
      used.push_back(
          static_cast<double>(std::min(run.results[i].trials.size(), static_cast<std::size_t>(row.rollouts))));
      if (states[i].solved) layers.push_back(*states[i].shortest_layers);
    }
    row.examples = static_cast<int>(examples_.size());
    row.solved = static_cast<int>(layers.size());
    row.solved_interval = eval::wilson_interval(row.solved, row.examples);
    row.rollouts_used = mean(used);
    const std::uint64_t seed = bootstrap_seed(row, options);
    set_mean(row.first_hit, row.first_hit_interval, hits, seed, options.resamples);
    set_mean(row.shortest_layers, row.shortest_layers_interval, layers, seed, options.resamples);
  }

  void compare(AlgorithmRow& row, const States& states, const States& reference,
               const AlgorithmTableOptions& options) const {
    std::vector<double> layers;
    for (const std::size_t i : examples_) {
      if (states[i].solved && reference[i].solved)
        layers.push_back(*states[i].shortest_layers - *reference[i].shortest_layers);
    }
    const std::uint64_t seed = bootstrap_seed(row, options);
    set_mean(row.solved_difference, row.solved_difference_interval, solved_over(states, reference), seed,
             options.resamples);
    set_mean(row.layers_difference, row.layers_difference_interval, layers, seed, options.resamples);
  }

  void compare_charged(AlgorithmRow& row, const States& states, const States& reference,
                       const AlgorithmTableOptions& options) const {
    set_mean(row.charged_difference, row.charged_difference_interval, solved_over(states, reference),
             bootstrap_seed(row, options), options.resamples);
  }

  void measure_depth(AlgorithmRow& row, const States& states, const States& optimum,
                     const AlgorithmTableOptions& options) const {
    constexpr double kNear = 0.05;
    std::vector<double> over;
    for (const std::size_t i : examples_) {
      if (!optimum[i].solved) continue;
      ++row.optimum_known;
      if (!states[i].solved) continue;
      const double ratio = static_cast<double>(*states[i].shortest_layers) / *optimum[i].shortest_layers;
      over.push_back(std::max(0.0, ratio - 1));
      if (ratio <= 1 + kNear) ++row.near_optimum;
    }
    row.optimum_both = static_cast<int>(over.size());
    if (over.empty()) return;
    set_mean(row.over_optimum, row.over_optimum_interval, over, bootstrap_seed(row, options), options.resamples);
  }

 private:
  std::vector<double> solved_over(const States& states, const States& reference) const {
    std::vector<double> solved;
    for (const std::size_t i : examples_)
      solved.push_back(static_cast<double>(states[i].solved) - static_cast<double>(reference[i].solved));
    return solved;
  }

  std::vector<std::size_t> examples_;
};

void check_runs(std::span<const AlgorithmRun> runs, std::size_t examples) {
  for (const AlgorithmRun& run : runs) {
    bool same = run.results.size() == examples;
    for (std::size_t i = 0; same && i < examples; ++i) same = run.results[i].example == runs[0].results[i].example;
    if (!same)
      throw core::Error(fmt::format("algorithm {}: expected results of the same {} examples as {}, found others",
                                    run.algorithm, examples, runs[0].algorithm));
  }
}

const AlgorithmRow* row_of(std::span<const AlgorithmRow> rows, const AlgorithmRow& like, const std::string& level) {
  const auto found = std::ranges::find_if(rows, [&](const AlgorithmRow& row) {
    return row.algorithm == like.algorithm && row.rollouts == like.rollouts && row.level == level;
  });
  return found == rows.end() ? nullptr : &*found;
}

std::string difference_text(const std::optional<double>& value, const eval::Interval& interval, double scale) {
  if (!value) return "";
  return fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]", *value * scale, interval.low * scale, interval.high * scale);
}

std::string solved_line(std::span<const AlgorithmRow> rows, const AlgorithmRow& all,
                        const std::vector<std::string>& levels) {
  std::string line = fmt::format("| {} |", all.algorithm);
  for (const std::string& level : levels) {
    const AlgorithmRow* row = row_of(rows, all, level);
    if (row == nullptr) {
      line += " |";
      continue;
    }
    line += fmt::format(" {:.1f} ({:.0f}-{:.0f}) |", 100.0 * row->solved / row->examples,
                        100 * row->solved_interval.low, 100 * row->solved_interval.high);
  }
  return line + fmt::format(" {} |\n", difference_text(all.solved_difference, all.solved_difference_interval, 100));
}

std::string mean_text(const std::optional<double>& value, const eval::Interval& interval) {
  if (!value) return "";
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", *value, interval.low, interval.high);
}

std::string optimum_text(const AlgorithmRow& row) {
  if (row.optimum_known == 0) return "";
  std::string text;
  if (row.over_optimum)
    text = fmt::format("{:.1f} % [{:.1f}, {:.1f}], ", 100 * *row.over_optimum, 100 * row.over_optimum_interval.low,
                       100 * row.over_optimum_interval.high);
  return text + fmt::format("{} near of {} solved of {}", row.near_optimum, row.optimum_both, row.optimum_known);
}

std::string level_line(const AlgorithmRow& row) {
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {:.1f} |\n", row.level, row.algorithm,
                     difference_text(row.solved_difference, row.solved_difference_interval, 100),
                     difference_text(row.charged_difference, row.charged_difference_interval, 100),
                     mean_text(row.shortest_layers, row.shortest_layers_interval),
                     difference_text(row.layers_difference, row.layers_difference_interval, 1), optimum_text(row),
                     mean_text(row.first_hit, row.first_hit_interval), row.rollouts_used);
}

/// Every row of one budget, level by level.
std::string level_table(std::span<const AlgorithmRow> rows, int budget, const std::vector<std::string>& levels,
                        const std::string& reference) {
  std::string text = fmt::format(
      "\nBy level: layers of the shortest valid program, and rollouts\n\n| level | algorithm | points over {0} | the "
      "same, its pilot charged | mean layers | layers over {0}, both solved | over the exhaustive optimum | rollouts "
      "to the first valid | rollouts used |\n|---|---|---|---|---|---|---|---|---|\n",
      reference);
  for (const std::string& level : levels) {
    for (const AlgorithmRow& row : rows) {
      if (row.rollouts == budget && row.level == level) text += level_line(row);
    }
  }
  return text;
}

/// How the pilot is charged, and which budgets have nothing to charge it with.
std::string charge_line(const AlgorithmTableOptions& options) {
  if (options.pilot_rollouts == 0) return "";
  std::string text = fmt::format("Pilot charged: the others have {} rollouts more than {}.", options.pilot_rollouts,
                                 options.default_algorithm);
  std::vector<int> without;
  std::ranges::copy_if(options.rollouts, std::back_inserter(without),
                       [&](int rollouts) { return rollouts + options.pilot_rollouts > options.rollouts.back(); });
  return text + fmt::format(" Not at {}: nothing ran with so many more; give --rollouts that to charge them too.\n",
                            fmt::join(without, ", "));
}

}  // namespace

std::vector<AlgorithmRow> algorithm_rows(std::span<const AlgorithmRun> runs, std::span<const std::string> levels,
                                         const AlgorithmTableOptions& options) {
  check_runs(runs, levels.size());
  const auto reference = std::ranges::find(runs, options.default_algorithm, &AlgorithmRun::algorithm);
  if (reference == runs.end())
    throw core::Error(
        fmt::format("expected the algorithm {} among those that ran, since the others are compared with it",
                    options.default_algorithm));
  const auto exhaustive = std::ranges::find(runs, true, &AlgorithmRun::exhaustive);
  std::vector<AlgorithmRow> rows;
  for (const int rollouts : options.rollouts) {
    const States base = states_at(*reference, budget_of(*reference, rollouts));
    for (const AlgorithmRun& run : runs) {
      const int budget = budget_of(run, rollouts);
      const States states = states_at(run, budget);
      for (const std::string& level : eval::levels_of(levels, std::identity())) {
        const LevelView view(levels, level);
        AlgorithmRow row{.algorithm = run.algorithm, .level = level, .rollouts = budget};
        view.fill(row, run, states, options);
        if (&run != &*reference && !run.exhaustive) {
          view.compare(row, states, base, options);
          const int charged = rollouts + options.pilot_rollouts;
          if (options.pilot_rollouts > 0 && charged <= options.rollouts.back())
            view.compare_charged(row, states_at(run, charged), base, options);
        }
        if (exhaustive != runs.end() && !run.exhaustive)
          view.measure_depth(row, states, states_at(*exhaustive, budget_of(*exhaustive, rollouts)), options);
        // The exhaustive search has one budget: once is enough.
        if (!run.exhaustive || rollouts == options.rollouts.front()) rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

std::string algorithms_csv(std::span<const AlgorithmRow> rows) {
  std::string text =
      "algorithm,level,rollouts,examples,solved,solved_low,solved_high,rollouts_used,first_hit,first_hit_low,"
      "first_hit_high,shortest_layers,shortest_layers_low,shortest_layers_high,"
      "solved_difference,solved_difference_low,solved_difference_high,layers_difference,layers_difference_low,"
      "layers_difference_high,over_optimum,over_optimum_low,over_optimum_high,near_optimum,optimum_both,optimum_known,"
      "charged_difference,"
      "charged_difference_low,charged_difference_high\n";
  for (const AlgorithmRow& row : rows) {
    const auto interval = [](const std::optional<double>& value, const eval::Interval& around) {
      return value ? fmt::format("{},{},{}", *value, around.low, around.high) : std::string(",,");
    };
    // Levels may hold commas and quotes (RFC 4180).
    std::string level = row.level;
    for (std::size_t at = level.find('"'); at != std::string::npos; at = level.find('"', at + 2))
      level.insert(at, 1, '"');
    text += fmt::format("{},\"{}\",{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", row.algorithm, level, row.rollouts,
                        row.examples, row.solved, row.solved_interval.low, row.solved_interval.high, row.rollouts_used,
                        interval(row.first_hit, row.first_hit_interval),
                        interval(row.shortest_layers, row.shortest_layers_interval),
                        interval(row.solved_difference, row.solved_difference_interval),
                        interval(row.layers_difference, row.layers_difference_interval),
                        interval(row.over_optimum, row.over_optimum_interval), row.near_optimum, row.optimum_both,
                        row.optimum_known, interval(row.charged_difference, row.charged_difference_interval));
  }
  return text;
}

std::string algorithms_markdown(std::span<const AlgorithmRow> rows, const AlgorithmTableOptions& options) {
  std::vector<std::string> levels;
  for (const AlgorithmRow& row : rows) {
    if (std::ranges::find(levels, row.level) == levels.end()) levels.push_back(row.level);
  }
  std::vector<int> budgets;
  for (const AlgorithmRow& row : rows) {
    if (std::ranges::find(budgets, row.rollouts) == budgets.end()) budgets.push_back(row.rollouts);
  }
  std::ranges::sort(budgets);
  std::string text;
  for (const int budget : budgets) {
    text += fmt::format("## {} rollouts\n\nExamples with a valid program, in percent (95 % Wilson)\n\n| algorithm |",
                        budget);
    for (const std::string& level : levels) text += fmt::format(" {} |", level);
    text += fmt::format(" points over {} |\n|---|", options.default_algorithm);
    for (std::size_t i = 0; i <= levels.size(); ++i) text += "---|";
    text += '\n';
    for (const AlgorithmRow& row : rows) {
      if (row.rollouts == budget && row.level == eval::kAllLevels) text += solved_line(rows, row, levels);
    }
    text += level_table(rows, budget, levels, options.default_algorithm) + '\n';
  }
  return text +
         "In brackets: 95 % bootstrap over examples; differences are paired. Over the exhaustive optimum: mean excess "
         "of the shortest valid program's layers, 0 where it is shorter, over the examples that both solve; near: at "
         "most 5 % above, of those solved here, of those the exhaustive search solves. Rollouts to the "
         "first valid program: the identity counts as one, an unsolved example with the whole budget. Every algorithm "
         "but exhaustive ran once, at the largest budget; smaller ones are the first trials of that run, which they "
         "would have made too.\n" +
         (options.first_valid ? "Each search but exhaustive ended with the round of its first valid program. Rounds "
                                "differ in size, so that layers tell nothing of which search finds shorter programs.\n"
                              : "") +
         options.pilot + charge_line(options);
}

}  // namespace polar::experiment
