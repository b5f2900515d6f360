#include "experiment/latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <numeric>
#include <tuple>

#include "core/milliseconds_since.h"
#include "core/seed.h"
#include "eval/statistics.h"
#include "exec/encoding.h"
#include "experiment/interrupt.h"

namespace polar::experiment {
namespace {

using Metrics = std::map<std::string, double>;
/// Milliseconds by policy, level and metric.
using Table = std::map<std::tuple<std::string, std::string, std::string>, std::vector<double>>;

exec::Answer run(exec::Executor& executor, const exec::Request& request) {
  return std::move(executor.answer(std::span(&request, 1)).front());
}

/// All answers it takes to give one.
std::vector<exec::Answer> answers_of(exec::Executor& executor, policy::Planner& planner,
                                     const policy::RankedPrograms& ranked, const exec::EncodedExample& input,
                                     const exec::GenerationRules& rules) {
  const std::unique_ptr<policy::Cascade> cascade = planner.cascade(ranked);
  if (!cascade) {
    const search::Sample sample = planner.sample(0);
    return {run(executor, {&input, ranked.front(), sample.temperature, sample.index, &rules, false})};
  }
  return policy::run_cascades(
             std::span(&cascade, 1),
             [&](std::span<const policy::CascadeTrial> trials) {
               return std::vector<exec::Answer>{run(executor, {&input, trials.front().program, 0, 0, &rules, false})};
             })
      .front()
      .answers;
}

Metrics time_answer(Experiment::State& state, policy::Planner& planner, const exec::EncodedExample& input,
                    const exec::GenerationRules& rules) {
  state.executor.clear_cache();
  const auto start = std::chrono::steady_clock::now();
  const predict::TokenFeatures features =
      planner.reads_features() ? state.features(std::span(&input, 1)).front() : predict::TokenFeatures();
  const policy::Input asked{input.id, &features, &input};
  const policy::RankedPrograms ranked = planner.propose(std::span(&asked, 1)).front();
  Metrics taken{{"policy_ms", core::milliseconds_since(start)}};
  for (const exec::Answer& answer : answers_of(state.executor, planner, ranked, input, rules)) {
    taken["prefill_ms"] += answer.prefill_ms;
    taken["decode_ms"] += answer.decode_ms;
  }
  taken["answer_ms"] = core::milliseconds_since(start);
  return taken;
}

std::vector<eval::Figure> means_of(const Table& times, const std::string& set, const Config& config) {
  std::vector<eval::Figure> figures;
  for (const auto& [key, values] : times) {
    const auto& [policy, level, metric] = key;
    const std::uint64_t seed =
        core::derive_seed(config.seed, "latency interval", fmt::format("{}{}{}{}", policy, metric, set, level));
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    eval::Figure figure{
        policy, set, level, static_cast<int>(values.size()), metric, 1, sum / static_cast<double>(values.size())};
    if (values.size() > 1) {  // of one answer nothing is known but its time
      const eval::Interval interval = eval::bootstrap_mean_interval(values, seed, config.eval.bootstrap);
      figure.ci_low = interval.low, figure.ci_high = interval.high;
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace

std::vector<eval::Figure> latency_figures(Experiment::State& state,
                                          std::span<const std::unique_ptr<policy::Planner>> policies,
                                          const std::string& set, std::span<const task::Example> examples,
                                          const task::TaskSpec& task) {
  const auto count = std::min(examples.size(), static_cast<std::size_t>(state.config.eval.latency_examples));
  if (count == 0) return {};
  const exec::TaskEncoder encoder(state.model.pool->manifest(), *state.model.tokenizer, task);
  const exec::GenerationRules rules{&encoder.grader(), encoder.stop_strings(), encoder.max_new_tokens(),
                                    exec::StopRule::kFull};
  state.executor.set_shared_prompt({});
  std::vector<policy::Planner*> planners;
  for (const auto& planner : policies) {
    // An oracle's search is no part of an answer; a level's predictor has the size of the predictor, which is timed.
    if (!planner->is_oracle() && !planner->is_told_the_level()) planners.push_back(planner.get());
  }
  Table times;
  for (std::size_t i = 0; i < count; ++i) {
    throw_if_interrupted("the same command times single answers anew and reads the others from disk");
    const task::Example& example = examples[i * examples.size() / count];
    const exec::EncodedExample input = encoder.encode_input(example.id, example.question);
    for (policy::Planner* planner : planners) {
      if (i == 0) time_answer(state, *planner, input, rules);
    }
    std::map<std::string, Metrics> taken;  // by policy
    for (std::size_t turn = 0; turn < planners.size(); ++turn) {
      policy::Planner& planner = *planners[(i + turn) % planners.size()];
      taken[planner.name()] = time_answer(state, planner, input, rules);
    }
    for (auto& [policy, own] : taken) {
      if (taken.contains("base")) own["latency_ratio"] = own["answer_ms"] / taken["base"]["answer_ms"];
      for (const auto& [metric, value] : own) {
        for (const std::string& level : {std::string(eval::kAllLevels), example.level}) {
          if (!level.empty()) times[{policy, level, metric}].push_back(value);
        }
      }
    }
  }
  return means_of(times, set, state.config);
}

}  // namespace polar::experiment
