#include "experiment/algorithm_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "eval/levels.h"
#include "experiment/options.h"
#include "experiment/recorded_search.h"
#include "experiment/transfer.h"
#include "search/outcome_matrix.h"

namespace polar::experiment {
namespace {

constexpr std::string_view kTransfer = "transfer", kExhaustive = "exhaustive";

/// Of a space that the algorithm exhaustive runs whole.
int size_of(const search::SearchSpace& space) {
  constexpr int kMost = 1000000;
  if (space.counted() && space.count() <= kMost) return static_cast<int>(space.count());
  throw core::UsageError(
      fmt::format("--exhaustive-edits: expected a space that can be counted, of at most {} programs, found {}; lower "
                  "it, or narrow the space "
                  "with search.max_block, search.max_extra_repeats, search.min_depth or search.max_depth",
                  kMost, space.describe()));
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void check_bench(const AlgorithmBenchOptions& options) {
  if (options.algorithms.empty()) throw core::UsageError("--algorithms: expected at least one algorithm, found none");
  for (const std::string& name : options.algorithms) {
    search::algorithm_of(name);
    if (std::ranges::count(options.algorithms, name) > 1)
      throw core::UsageError(fmt::format("--algorithms: expected every algorithm once, found {} again", name));
  }
  if (options.rollouts.empty() || std::ranges::min(options.rollouts) < 1)
    throw core::UsageError("--rollouts: expected budgets of at least 1");
}

}  // namespace

AlgorithmBench::AlgorithmBench(const Config& config, const AlgorithmBenchOptions& options)
    : config_((check_bench(options), config)),
      options_(options),
      model_(exec::load_model(config.pool, config.exec.dtype, config.exec.kernels, config.exec.device)),
      data_(make_data(config)),
      executor_(model_.pool, model_.tokenizer, exec_options(config)) {
  const int skipped = has_pilot() ? config_.search.transfer_pilot : 0;
  const std::vector<task::Example> all =
      task::distinct_problems(options_.validation ? data_.dataset.valid : data_.dataset.train, config_.seed);
  if (has_pilot()) pilot_ = slice_levels(all, 0, skipped);
  examples_ = slice_levels(all, skipped, options_.examples_per_level);
  if (examples_.empty()) {
    const char* split = options_.validation ? "valid" : "train";
    throw core::UsageError(fmt::format("{0}: expected examples to search{1}, found none; raise task.{0}_per_level",
                                       split, has_pilot() ? " after the pilot of transfer" : ""));
  }
  eval::levels_of(examples_, &task::Example::level);  // refuses a level of that name before anything is run
  table_.default_algorithm =
      contains(options_.algorithms, config_.search.algorithm) ? config_.search.algorithm : options_.algorithms.front();
  table_.rollouts = options_.rollouts;
  std::ranges::sort(table_.rollouts);
  table_.seed = config_.seed;
  table_.resamples = config_.eval.bootstrap;
  table_.first_valid = config_.search.objective == "first";
  if (contains(options_.algorithms, kExhaustive))
    plan_of(std::string(kExhaustive));  // refuses what cannot be run whole
  core::ensure_folder(options_.folder);
  lock_ = std::make_unique<labels::RunLock>(options_.folder);
}

bool AlgorithmBench::has_pilot() const {
  return contains(options_.algorithms, kTransfer) && config_.search.transfer_programs.empty();
}

search::SearchPlan AlgorithmBench::plan_of(const std::string& algorithm) const {
  const int depth = model_.pool->manifest().depth;
  search::SearchPlan plan = search_plan(config_, depth, table_.rollouts.back(), search::algorithm_of(algorithm));
  if (algorithm == kExhaustive) {
    plan.space.max_edits = options_.exhaustive_edits;
    // Every program of every example, whatever the others look for.
    plan.options.objective = search::Objective::kBest;
    plan.options.stop_after_valid = 0;
    plan.options.minimise = search::Minimise::kOff;
    plan.options.rollouts = size_of(search::SearchSpace(plan.space));
  }
  if (algorithm == kTransfer && !has_pilot())
    plan.options.first_programs = read_programs(config_.search.transfer_programs, depth);
  return plan;
}

labels::LabelStore AlgorithmBench::open_store(const std::string& text, std::span<const task::Example> all) const {
  labels::StoreOptions options;
  options.new_search = true;
  labels::LabelStore store = labels::LabelStore::open(
      *lock_, "outcomes.sqlite", store_identity(executor_, data_.task, all), {text, "verdict", config_.seed}, options);
  std::vector<labels::StoredExample> stored;
  const labels::Split split = options_.validation ? labels::Split::kValid : labels::Split::kTrain;
  for (const task::Example& example : all) stored.push_back({example.id, split, example.level});
  store.add_examples(stored);
  return store;
}

// Replays what the store has: a finished search costs reading it.
std::vector<search::SearchResult> AlgorithmBench::search(const std::string& name, const search::SearchPlan& plan,
                                                         std::span<const task::Example> examples,
                                                         const std::string& text) {
  const search::SearchSpace space(plan.space);
  std::vector<task::Example> all = pilot_;
  all.insert(all.end(), examples_.begin(), examples_.end());
  labels::LabelStore store = open_store(text, all);
  std::vector<task::ExampleId> ids;
  for (const task::Example& example : examples) ids.push_back(example.id);
  std::cerr << fmt::format("{}: {}\n", name, space.describe());
  return search_recorded({config_, executor_, data_.task, store, all, name}, ids, space, plan.options);
}

std::vector<core::Program> AlgorithmBench::pilot_programs() {
  search::SearchPlan plan = plan_of("guided");
  const search::Objective objective = plan.options.objective;
  plan.options.rollouts = config_.search.rollouts;  // so that no budget compared decides where transfer starts
  plan.options = of_pilot(std::move(plan.options), search::SearchSpace(plan.space), config_.seed,
                          config_.search.transfer_pilot_rollouts);
  const std::string text = plan.text() + "; pilot";
  std::size_t spent = 0;
  for (const search::SearchResult& result : search("pilot of transfer", plan, pilot_, text))
    spent += result.trials.size();
  table_.pilot = fmt::format(
      "Beforehand transfer spent {} rollouts on {} other examples, its pilot: {:.1f} for each compared one.\n", spent,
      pilot_.size(), static_cast<double>(spent) / static_cast<double>(examples_.size()));
  if (table_.default_algorithm == kTransfer)
    table_.pilot_rollouts = static_cast<int>((spent + examples_.size() - 1) / examples_.size());
  std::vector<task::Example> all = pilot_;
  all.insert(all.end(), examples_.begin(), examples_.end());
  const labels::LabelStore store = open_store(text, all);
  std::vector<core::Program> programs =
      programs_that_served(store, pilot_, {model_.pool->manifest().depth, config_.search.transfer_size, objective});
  if (programs.empty())
    throw core::Error("transfer: expected a program that served the pilot, found none; enlarge search.transfer_pilot");
  return programs;
}

std::vector<AlgorithmRow> AlgorithmBench::run() {
  std::vector<AlgorithmRun> runs;
  for (const std::string& name : options_.algorithms) {
    search::SearchPlan plan = plan_of(name);
    if (name == kTransfer && has_pilot()) plan.options.first_programs = pilot_programs();
    const std::string text = plan.text();
    runs.push_back({name, name == kExhaustive, search(name, plan, examples_, text)});
  }
  std::vector<std::string> levels;
  for (const task::Example& example : examples_) levels.push_back(example.level);
  std::vector<AlgorithmRow> rows = algorithm_rows(runs, levels, table_);
  core::write_file(options_.folder / "algorithms.csv", algorithms_csv(rows));
  core::write_file(options_.folder / "algorithms.md", algorithms_markdown(rows, table_));
  for (const AlgorithmRun& run : runs) {
    if (run.exhaustive)
      core::write_file(options_.folder / "outcomes.csv", search::outcomes_csv(search::outcome_matrix(run.results)));
  }
  return rows;
}

}  // namespace polar::experiment
