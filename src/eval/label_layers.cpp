// How often changed programs skip and repeat each layer, against how often the search tried it and the space offers it.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/seed.h"
#include "eval/label_group.h"

namespace polar::eval {
namespace {

constexpr int kDraws = 20'000;

std::vector<int> layer_runs(const core::Program& program, int depth) {
  std::vector<int> runs(static_cast<std::size_t>(depth), 0);
  for (core::Program::Layer layer : program.layers()) ++runs[layer];
  return runs;
}

/// Of one pool and operation: by layer, then example, the programs that do it.
struct PoolRates {
  std::vector<PerExample> skip, repeat;
  PerExample programs;
};

PoolRates rates_of(const LabelGroup& group, Pool pool) {
  const auto depth = static_cast<std::size_t>(group.table->depth);
  const std::size_t n = group.examples.size();
  PoolRates rates{std::vector<PerExample>(depth, PerExample(n, 0)), std::vector<PerExample>(depth, PerExample(n, 0)),
                  PerExample(n, 0)};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::uint32_t number : programs_of(*group.examples[i], pool)) {
      const LabelProgram& label = group.program(number);
      if (label.identity) continue;
      ++rates.programs[i];
      const std::vector<int> runs = layer_runs(label.program, group.table->depth);
      for (std::size_t layer = 0; layer < depth; ++layer) {
        rates.skip[layer][i] += runs[layer] == 0 ? 1 : 0;
        rates.repeat[layer][i] += runs[layer] > 1 ? 1 : 0;
      }
    }
  }
  return rates;
}

/// Valid rate over tried rate of one layer; the interval resamples both together.
void add_ratio_to_tried(const LabelGroup& group, const std::string& analysis, std::size_t layer,
                        const PerExample& valid, const FigureList::Denominator& valid_programs, const PerExample& tried,
                        const FigureList::Denominator& tried_programs, FigureList& figures) {
  const double tried_rate = sum_of(tried) / tried_programs.total;
  if (tried_rate == 0) return;
  LabelFigure figure{analysis, {}, {}, fmt::format("tried/{}", layer), static_cast<std::int64_t>(valid_programs.total)};
  figure.value = sum_of(valid) / valid_programs.total / tried_rate;
  std::vector<double> above = group.resamples->sums(valid), below = group.resamples->sums(tried);
  for (std::size_t i = 0; i < above.size(); ++i) {
    above[i] *= tried_programs.resampled[i];
    below[i] *= valid_programs.resampled[i];
  }
  if (const auto interval = ratio_interval(above, below)) {
    figure.ci_low = interval->low;
    figure.ci_high = interval->high;
  }
  figures.add(std::move(figure));
}

void add_ratio_to_offered(const LabelGroup& group, const std::string& analysis, std::size_t layer,
                          const PerExample& valid, const FigureList::Denominator& valid_programs, double offered,
                          FigureList& figures) {
  if (offered == 0) return;
  LabelFigure figure{
      analysis, {}, {}, fmt::format("offered/{}", layer), static_cast<std::int64_t>(valid_programs.total)};
  figure.value = sum_of(valid) / valid_programs.total / offered;
  if (const auto interval = ratio_interval(group.resamples->sums(valid), valid_programs.resampled)) {
    figure.ci_low = interval->low / offered;
    figure.ci_high = interval->high / offered;
  }
  figures.add(std::move(figure));
}

}  // namespace

OfferedRates offered_rates(const search::SearchSpace& space, std::uint64_t seed) {
  const auto depth = static_cast<std::size_t>(space.depth());
  OfferedRates rates{0, std::vector<double>(depth, 0), std::vector<double>(depth, 0)};
  const double changed = space.count() - 1;
  if (changed < 1) return rates;
  core::Random random(core::derive_seed(seed, "label analysis", "programs of the space"));
  while (rates.draws < kDraws) {
    double left = random.uniform() * space.count();
    int layers = space.min_layers();
    for (; layers < space.max_layers() && left >= space.count(layers); ++layers) left -= space.count(layers);
    if (space.count(layers) == 0) continue;  // rounding left a rest at a length without programs
    const core::Program program = space.random_program(layers, random);
    if (program == core::Program::identity(space.depth())) continue;
    ++rates.draws;
    const std::vector<int> runs = layer_runs(program, space.depth());
    for (std::size_t layer = 0; layer < depth; ++layer) {
      rates.skip[layer] += runs[layer] == 0 ? 1.0 / kDraws : 0;
      rates.repeat[layer] += runs[layer] > 1 ? 1.0 / kDraws : 0;
    }
  }
  return rates;
}

void add_layer_figures(const LabelGroup& group, const OfferedRates* offered, FigureList& figures) {
  std::map<Pool, PoolRates> rates;
  std::map<Pool, FigureList::Denominator> programs;
  for (Pool pool : kPools) {
    rates[pool] = rates_of(group, pool);
    programs[pool] = figures.denominator(rates[pool].programs);
  }
  for (const bool skip : {true, false}) {
    const std::string analysis = skip ? "layer_skip" : "layer_repeat";
    const auto of = [&](Pool pool, std::size_t layer) -> const PerExample& {
      return (skip ? rates[pool].skip : rates[pool].repeat)[layer];
    };
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(group.table->depth); ++layer) {
      for (Pool pool : kPools)
        figures.ratio(analysis, fmt::format("{}/{}", to_string(pool), layer), of(pool, layer), programs[pool]);
      const bool known = offered && offered->draws > 0;
      const double offer = known ? (skip ? offered->skip : offered->repeat).at(layer) : 0;
      if (known) figures.add({analysis, {}, {}, fmt::format("offered/{}", layer), offered->draws, offer});
      if (programs[Pool::kValid].total == 0) continue;
      add_ratio_to_tried(group, analysis + "_ratio", layer, of(Pool::kValid, layer), programs[Pool::kValid],
                         of(Pool::kTried, layer), programs[Pool::kTried], figures);
      add_ratio_to_offered(group, analysis + "_ratio", layer, of(Pool::kValid, layer), programs[Pool::kValid], offer,
                           figures);
    }
  }
}

}  // namespace polar::eval
