// polar run, search, train, eval: a run from its configuration, whole or one stage.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/error.h"
#include "core/file.h"
#include "eval/rows.h"
#include "eval/seeds_table.h"
#include "experiment/experiment.h"
#include "experiment/interrupt.h"
#include "experiment/run_directory.h"
#include "experiment/schema.h"

namespace polar::cli {
namespace {

struct RunFlags {
  std::string config;
  std::vector<std::string> overrides;
  std::string part = "1/1";
  std::vector<std::uint64_t> seeds;  ///< empty: the configuration's alone
  experiment::RunOptions options;
};

using Stages = void (*)(experiment::Experiment&, const experiment::SearchPart&);

experiment::SearchPart part_named(const std::string& text) {
  experiment::SearchPart part;
  const char* const end = text.data() + text.size();
  const auto [slash, error] = std::from_chars(text.data(), end, part.number);
  const bool has_slash = error == std::errc() && slash != end && *slash == '/';
  const auto [rest, count_error] = std::from_chars(has_slash ? slash + 1 : end, end, part.count);
  if (count_error == std::errc() && rest == end) return part;
  throw core::UsageError(fmt::format("--part: expected NUMBER/COUNT, as in 2/3, found '{}'", text));
}

/// The run's configuration, or that of each seed. All are read before the first runs.
std::vector<experiment::Config> configs_of(const RunFlags& flags) {
  const experiment::Config whole = experiment::load_config(flags.config, flags.overrides);
  if (flags.seeds.empty()) return {whole};
  std::vector<experiment::Config> configs;
  for (const std::uint64_t seed : flags.seeds) {
    if (std::ranges::count(flags.seeds, seed) > 1)
      throw core::UsageError(fmt::format("--seeds: expected seeds that differ, found {} twice", seed));
    std::vector<std::string> overrides = flags.overrides;
    overrides.insert(overrides.end(), {fmt::format("seed={}", seed), fmt::format("name={}-{}", whole.name, seed)});
    configs.push_back(experiment::load_config(flags.config, overrides));
  }
  return configs;
}

/// Writes and prints what the evaluated runs of several seeds say together.
void compare_seeds(std::span<const experiment::Config> configs, const std::string& stem, int depth) {
  std::vector<eval::SeedRows> seeds;
  std::vector<std::uint64_t> numbers;
  for (const experiment::Config& config : configs) {
    seeds.push_back({config.seed, eval::read_rows(experiment::run_folder(config) / "evaluation.jsonl")});
    numbers.push_back(config.seed);
  }
  const std::vector<eval::SeedFigure> figures = eval::seed_figures(seeds, depth);
  const std::string table = eval::seeds_markdown(figures, numbers);
  core::write_file(stem + ".csv", eval::seeds_csv(figures));
  core::write_file(stem + ".md", table);
  std::cout << table << '\n' << stem << ".md, .csv\n";
}

CLI::App* add_stage_command(CLI::App& app, const std::string& name, const std::string& help, bool searches,
                            Stages stages, const std::shared_ptr<RunFlags>& flags = std::make_shared<RunFlags>()) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("config", flags->config, "Configuration file (YAML); keys: polar help config")->required();
  command->add_option("--set", flags->overrides,
                      "Override a key, as in --set search.rollouts=50; may be given again. Text in double quotes is "
                      "read as YAML: \"\\n\" is a line break");
  if (searches) {
    command->add_flag("--fresh", flags->options.fresh, "Empty the run's folder first");
    command->add_flag("--new-search", flags->options.new_search,
                      "Where the labels were made on another machine or by another version, keep them and search anew");
  }
  command->footer("Example: polar " + name + " configs/quickstart.yaml --set seed=2 --set name=seed-2");
  command->callback([flags, stages] {
    const experiment::SearchPart part = part_named(flags->part);
    experiment::install_interrupt_handler();
    const std::vector<experiment::Config> configs = configs_of(*flags);
    int depth = 0;
    for (const experiment::Config& config : configs) {
      experiment::Experiment experiment(config, flags->options);
      stages(experiment, part);
      depth = experiment.depth();
    }
    if (flags->seeds.empty()) return;
    const experiment::Config whole = experiment::load_config(flags->config, flags->overrides);
    compare_seeds(configs, (experiment::run_folder(whole).string() + "-seeds"), depth);
  });
  return command;
}

}  // namespace

void add_run(CLI::App& app) {
  using experiment::Experiment;
  using experiment::SearchPart;
  const auto run_flags = std::make_shared<RunFlags>();
  add_stage_command(
      app, "run", "Search, train and evaluate; skips what is up to date", true,
      [](Experiment& run, const SearchPart&) {
        run.search();
        run.train();
        run.evaluate();
      },
      run_flags)
      ->add_option("--seeds", run_flags->seeds,
                   "Run with each of these seeds, as in 1,2,3, under NAME-SEED, and compare them: "
                   "<runs_folder>/NAME-seeds.md and .csv")
      ->delimiter(',');
  const auto search_flags = std::make_shared<RunFlags>();
  add_stage_command(
      app, "search", "Search programs for the train and validation examples", true,
      [](Experiment& run, const SearchPart& part) { run.search(part); }, search_flags)
      ->add_option("--part", search_flags->part,
                   "Search a part of the examples, as in 2/3, so that machines share the work; give each part a run of "
                   "its own, and merge them (polar labels merge)")
      ->capture_default_str();
  add_stage_command(app, "train", "Train predictor, menus and the baselines that learn, on the labels", false,
                    [](Experiment& run, const SearchPart&) { run.train(); });
  add_stage_command(app, "eval", "Evaluate every policy on test and out-of-distribution sets", false,
                    [](Experiment& run, const SearchPart&) { run.evaluate(); });
}

}  // namespace polar::cli
