#include "experiment/controls_sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "eval/sampling_control.h"

namespace polar::experiment {
namespace {

void check_temperatures(const std::vector<double>& temperatures) {
  std::vector<double> sorted = temperatures;
  std::ranges::sort(sorted);
  const bool repeated = std::ranges::adjacent_find(sorted) != sorted.end();
  if (!sorted.empty() && sorted.front() > 0 && !repeated) return;
  throw core::UsageError(fmt::format("--temperatures: expected different numbers above 0, as in 0.3,0.7,1.0, found {}",
                                     sorted.empty() ? "none"
                                     : repeated     ? "one of them twice"
                                                    : fmt::format("{}", sorted.front())));
}

std::vector<search::Trial> identity_samples(const ControlRun& run, const std::vector<double>& temperatures) {
  const core::Program identity = core::Program::identity(run.depth());
  std::vector<search::Trial> trials;
  for (const SearchedExample& one : run.examples()) {
    for (const double temperature : temperatures) {
      for (int index = 0; index < static_cast<int>(one.trials.size()); ++index)
        trials.push_back({one.example.id, identity, {temperature, index}});
    }
  }
  return trials;
}

eval::SampledExample sampled(const SearchedExample& one, const labels::LabelStore& store,
                             const std::vector<double>& temperatures) {
  std::map<search::Sample, bool> verdicts;
  for (const labels::StoredTrial& row : store.trials(one.example.id))
    verdicts.emplace(row.trial.sample, row.outcome.correct);
  eval::SampledExample example;
  example.level = one.example.level;
  example.identity = one.trials[one.identity].outcome.correct;
  example.search = std::ranges::any_of(one.trials, [](const auto& row) { return row.outcome.correct; });
  for (const double temperature : temperatures) {
    std::vector<bool>& own = example.samples.emplace_back();
    for (int index = 0; index < static_cast<int>(one.trials.size()); ++index)
      own.push_back(verdicts.at({temperature, index}));
  }
  return example;
}

}  // namespace

eval::ControlReport sampling_control(ControlRun& run, const SamplingControlOptions& options) {
  check_temperatures(options.temperatures);
  const labels::LabelStore store = run.recorded("sampling", identity_samples(run, options.temperatures));
  std::vector<eval::SampledExample> examples;
  for (const SearchedExample& one : run.examples()) examples.push_back(sampled(one, store, options.temperatures));
  eval::SamplingFigureOptions figures;
  figures.temperatures = options.temperatures;
  figures.root_seed = run.config().seed;
  figures.resamples = run.config().eval.bootstrap;
  return {"sampling", "Sampling control of " + run.description(),
          "Questions solved by any of the n programs that the search tried, beside those solved by n samples of the "
          "unchanged model at a temperature T (greedy+T: its greedy answer and n − 1 samples): only what is solved "
          "beyond the best sampling is due to programs.",
          eval::sampling_figures(examples, figures)};
}

}  // namespace polar::experiment
