#include "eval/label_group.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace polar::eval {
namespace {

bool belongs(const LabelProgram& program, ProgramSet set) {
  if (program.identity || set == ProgramSet::kAll) return true;
  // Without repeats a program parses only when its layers ascend: others reorder and are neither.
  if (set == ProgramSet::kSkipOnly) return !program.repeats && program.parsed;
  return !program.skips && program.repeats;
}

bool shorter(const LabelProgram& a, const LabelProgram& b) {
  return std::tie(a.layers, a.unique_layers, a.program) < std::tie(b.layers, b.unique_layers, b.program);
}

ExampleLabels labels_of(const LabelTable& table, const LabelExample& example, int budget, ProgramSet set) {
  ExampleLabels labels;
  labels.example = &example;
  const auto all = static_cast<int>(example.trials.size());
  labels.rollouts = budget > 0 ? std::min(budget, all) : all;
  for (int i = 0; i < labels.rollouts; ++i) {
    const LabelTrial& trial = example.trials[static_cast<std::size_t>(i)];
    const LabelProgram& program = table.programs[trial.program];
    if (!belongs(program, set)) continue;
    labels.tried.push_back(trial.program);
    if (program.identity) labels.base = trial.correct;
    if (!trial.correct) continue;
    labels.valid.push_back(trial.program);
    if (labels.first_valid == 0) labels.first_valid = i + 1;
    if (labels.first_shorter == 0 && program.layers < table.depth) labels.first_shorter = i + 1;
    if (!labels.shortest || shorter(program, table.programs[*labels.shortest])) labels.shortest = trial.program;
  }
  std::ranges::sort(labels.valid);
  labels.valid.erase(std::ranges::unique(labels.valid).begin(), labels.valid.end());
  return labels;
}

}  // namespace

std::string_view to_string(ProgramSet set) {
  if (set == ProgramSet::kAll) return "all";
  return set == ProgramSet::kSkipOnly ? "skip_only" : "loop_only";
}

std::string_view to_string(Pool pool) {
  if (pool == Pool::kShortest) return "shortest";
  return pool == Pool::kValid ? "valid" : "tried";
}

std::span<const std::uint32_t> programs_of(const ExampleLabels& labels, Pool pool) {
  if (pool == Pool::kValid) return labels.valid;
  if (pool == Pool::kTried) return labels.tried;
  return labels.shortest ? std::span(&*labels.shortest, 1) : std::span<const std::uint32_t>();
}

std::vector<ExampleLabels> labels_within(const LabelTable& table, int budget, ProgramSet set) {
  std::vector<ExampleLabels> all;
  std::vector<std::uint32_t> last_seen(table.programs.size(), 0);  // example that tried the program last, from 1
  for (const LabelExample& example : table.examples) {
    if (example.trials.empty()) continue;
    ExampleLabels& labels = all.emplace_back(labels_of(table, example, budget, set));
    const auto number = static_cast<std::uint32_t>(all.size());
    std::erase_if(labels.tried,
                  [&](std::uint32_t program) { return std::exchange(last_seen[program], number) == number; });
  }
  return all;
}

double sum_of(const PerExample& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

FigureList::Denominator FigureList::denominator(PerExample values) const {
  Denominator made{std::move(values), 0, {}};
  made.total = sum_of(made.values);
  made.resampled = group_.resamples->sums(made.values);
  return made;
}

void FigureList::add(LabelFigure figure) {
  figure.set = group_.set;
  figure.level = group_.level;
  figures_.push_back(std::move(figure));
}

void FigureList::count(std::string analysis, std::string key, double value) {
  add({std::move(analysis), {}, {}, std::move(key), static_cast<std::int64_t>(group_.examples.size()), value});
}

void FigureList::share(std::string analysis, std::string key, std::int64_t hits, std::int64_t n) {
  if (n > 0) add(share_figure(std::move(analysis), std::move(key), hits, n));
}

LabelFigure share_figure(std::string analysis, std::string key, std::int64_t hits, std::int64_t n) {
  const Interval interval = wilson_interval(hits, n);
  const double share = static_cast<double>(hits) / static_cast<double>(n);
  return {std::move(analysis), {}, {}, std::move(key), n, share, interval.low, interval.high};
}

LabelFigure FigureList::ratio_figure(const PerExample& numerators, const Denominator& denominator) const {
  LabelFigure figure;
  figure.n = static_cast<std::int64_t>(denominator.total);
  figure.value = sum_of(numerators) / denominator.total;
  if (const auto interval = ratio_interval(group_.resamples->sums(numerators), denominator.resampled)) {
    figure.ci_low = interval->low;
    figure.ci_high = interval->high;
  }
  return figure;
}

void FigureList::ratio(std::string analysis, std::string key, const PerExample& numerators,
                       const Denominator& denominator) {
  if (denominator.total == 0) return;
  LabelFigure figure = ratio_figure(numerators, denominator);
  figure.analysis = std::move(analysis);
  figure.key = std::move(key);
  add(std::move(figure));
}

void FigureList::pair_ratio(std::string analysis, std::string key, const PerExample& numerators,
                            const Denominator& denominator) {
  if (denominator.total == 0) return;
  LabelFigure figure = ratio_figure(numerators, denominator);
  figure.analysis = std::move(analysis);
  figure.key = std::move(key);
  if (figure.ci_low) {
    figure.ci_low = std::max(0.0, 2 * *figure.ci_low - figure.value);
    figure.ci_high = std::min(1.0, 2 * *figure.ci_high - figure.value);
  }
  add(std::move(figure));
}

}  // namespace polar::eval
