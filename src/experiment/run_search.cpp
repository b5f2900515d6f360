#include "experiment/run_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "core/error.h"
#include "experiment/options.h"
#include "experiment/recorded_search.h"
#include "experiment/run_directory.h"
#include "experiment/transfer.h"

namespace polar::experiment {
namespace {

/// What transfer becomes after its pilot: guided where no program served.
search::SearchOptions starting_from(search::SearchOptions options, std::vector<core::Program> programs) {
  if (programs.empty()) options.algorithm = search::Algorithm::kGuided;
  options.first_programs = std::move(programs);
  return options;
}

search::SearchSpace checked_space(const Config& config, int depth) {
  search::SearchSpace space(search_plan(config, depth, config.search.rollouts).space);
  check_budgets(config, space);
  check_baselines(config, depth);
  return space;
}

labels::Split split_of(const RunData& data, std::size_t index, labels::StoreKind kind) {
  if (kind == labels::StoreKind::kOracle) return labels::Split::kTest;
  return index < data.dataset.train.size() ? labels::Split::kTrain : labels::Split::kValid;
}

}  // namespace

RunSearch::RunSearch(const Config& run_config, const pool::NullOptions& null)
    : config(run_config),
      model(exec::load_model(config.pool, config.exec.dtype, config.exec.kernels, config.exec.device, null)),
      data(make_data(config)),
      space(checked_space(config, model.pool->manifest().depth)),
      executor(model.pool, model.tokenizer, exec_options(config)) {}

void RunSearch::say(const std::string& line) const {
  std::cout << line << std::endl;
}

std::vector<task::Example> RunSearch::labelled_examples() const {
  return experiment::labelled_examples(data.dataset);
}

labels::LabelStore RunSearch::store_in(const labels::RunLock& lock, const std::string& file_name,
                                       std::span<const task::Example> examples, int rollouts,
                                       labels::StoreOptions options) const {
  const std::string settings = search_text(options.kind, rollouts);
  return trials_in(lock, file_name, examples, settings, std::move(options));
}

labels::LabelStore RunSearch::trials_in(const labels::RunLock& lock, const std::string& file_name,
                                        std::span<const task::Example> examples, const std::string& settings,
                                        labels::StoreOptions options) const {
  options.message = [this](const std::string& message) { say(message); };
  labels::LabelStore store = labels::LabelStore::open(lock, file_name, store_identity(executor, data.task, examples),
                                                      {settings, "verdict", config.seed}, options);
  std::vector<labels::StoredExample> stored;
  for (std::size_t i = 0; i < examples.size(); ++i)
    stored.push_back({examples[i].id, split_of(data, i, options.kind), examples[i].level});
  store.add_examples(stored);
  return store;
}

search::SearchPlan RunSearch::planned(int rollouts) const {
  search::SearchPlan plan = search_plan(config, depth(), rollouts);
  if (config.search.transfer_programs.empty()) return plan;
  plan.options.first_programs = read_programs(config.search.transfer_programs, depth());
  if (std::ranges::none_of(plan.options.first_programs,
                           [&](const auto& program) { return space.find(program).has_value(); })) {
    throw core::UsageError(fmt::format("{}: expected a program of the search space, {}, found none",
                                       config.search.transfer_programs, space.describe()));
  }
  return plan;
}

std::vector<core::Program> RunSearch::served(const labels::LabelStore& store) const {
  const SearchConfig& asked = config.search;
  return programs_that_served(
      store, pilot_examples(config, data.dataset),
      {depth(), asked.transfer_size, search::objective_of(asked.objective), asked.transfer_pilot_rollouts});
}

/// Those of the oracle hold what served the pilot; the labels' search has yet to find it.
search::SearchOptions RunSearch::options_of(labels::StoreKind kind, int rollouts) const {
  search::SearchOptions options = planned(rollouts).options;
  if (!has_pilot(config.search) || kind == labels::StoreKind::kLabels) return options;
  return starting_from(std::move(options), served(labels::LabelStore::read(run_folder(config) / "labels.sqlite")));
}

/// What served the pilot of the labels follows from the settings, so these stand for it.
std::string RunSearch::search_text(labels::StoreKind kind, int rollouts) const {
  const search::SearchPlan plan{space.options(), options_of(kind, rollouts)};
  if (!has_pilot(config.search)) return plan.text();
  const int deciding = config.search.transfer_pilot_rollouts > 0 ? config.search.transfer_pilot_rollouts : rollouts;
  std::string text = plan.text() + fmt::format("; pilot={} of single edits, size={}, pilot rollouts={}",
                                               config.search.transfer_pilot, config.search.transfer_size, deciding);
  if (kind != labels::StoreKind::kLabels) return text;
  const int labelled = rollouts_of_pilot(plan.options);
  return labelled == deciding ? text : text + fmt::format(" of {}", labelled);
}

/// They are labels as all others: where those use their whole budget, the pilot's have no smaller one.
int RunSearch::rollouts_of_pilot(const search::SearchOptions& others) const {
  const int deciding = config.search.transfer_pilot_rollouts;
  const bool end_early = others.objective == search::Objective::kFirstValid || others.stop_after_valid > 0;
  return deciding > 0 && end_early ? deciding : std::max(deciding, others.rollouts);
}

void RunSearch::search_into(labels::LabelStore& store, std::span<const task::Example> examples, int rollouts,
                            const std::string& label) {
  search::SearchOptions options = options_of(store.kind(), rollouts);
  if (has_pilot(config.search) && store.kind() == labels::StoreKind::kLabels) {
    const std::vector<task::Example> pilot = pilot_examples(config, data.dataset);
    search_some(store, pilot, of_pilot(options, space, config.seed, rollouts_of_pilot(options)), label + ", pilot");
    options = starting_from(std::move(options), served(store));
  }
  if (!options.first_programs.empty()) {
    const auto outside = std::ranges::count_if(options.first_programs,
                                               [&](const core::Program& program) { return !space.find(program); });
    say(fmt::format("{}: {} programs {}{}", label, options.first_programs.size(),
                    has_pilot(config.search) ? "served the pilot" : "of search.transfer_programs",
                    outside > 0 ? fmt::format("; {} of them lie outside the space and are not tried", outside) : ""));
  } else if (has_pilot(config.search)) {
    say(fmt::format("{}: no program served the pilot", label));
  }
  search_some(store, examples, options, label);
}

void RunSearch::search_some(labels::LabelStore& store, std::span<const task::Example> examples,
                            const search::SearchOptions& options, const std::string& label) {
  std::vector<task::ExampleId> ids;
  for (const task::Example& example : examples) {
    if (!store.state(example.id).done) ids.push_back(example.id);
  }
  search_recorded({config, executor, data.task, store, examples, label}, ids, space, options);
}

}  // namespace polar::experiment
