// polar bench algorithms: search algorithms on the same examples and budget, side by side.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <memory>

#include "cli/bench.h"
#include "experiment/algorithm_bench.h"
#include "experiment/interrupt.h"
#include "experiment/schema.h"
#include "search/options.h"

namespace polar::cli {
namespace {

struct AlgorithmFlags {
  std::string config;
  std::vector<std::string> overrides;
  std::string folder;
  experiment::AlgorithmBenchOptions options;
};

}  // namespace

void add_bench_algorithms(CLI::App& bench) {
  auto flags = std::make_shared<AlgorithmFlags>();
  auto& options = flags->options;
  options.algorithms = {"transfer", "guided", "mcts", "paper", "authors", "drllm", "replication", "random"};
  options.rollouts = {50, 200};
  CLI::App* command = bench.add_subcommand(
      "algorithms",
      "Compare search algorithms on the same examples: solved, shortest valid program, rollouts to the first");
  command->add_option("config", flags->config, "Configuration file (YAML); keys: polar help config")->required();
  command->add_option("--set", flags->overrides, "Override a key, as in --set search.keep=1; may be given again");
  command
      ->add_option("--algorithms", options.algorithms,
                   fmt::format("Separated by commas; of {}", fmt::join(search::algorithm_names(), ", ")))
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--rollouts", options.rollouts, "Budgets an example, separated by commas")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  command->add_flag("--validation", options.validation,
                    "Search validation examples: to tune settings on others than those that are compared");
  command->add_option("--examples", options.examples_per_level, "Examples a level; 0: all")
      ->capture_default_str()
      ->check(CLI::Range(0, 10000000));
  command
      ->add_option("--exhaustive-edits", options.exhaustive_edits,
                   "Most edits of a program that the algorithm exhaustive tries")
      ->capture_default_str()
      ->check(CLI::Range(1, 8));
  command
      ->add_option("--out", flags->folder,
                   "Folder for algorithms.csv, algorithms.md and outcomes.sqlite; the same "
                   "command goes on from what it holds")
      ->required();
  command->footer(
      "Example: polar bench algorithms configs/ladder.yaml --algorithms guided,mcts,authors,random,exhaustive "
      "--rollouts 50,200 --examples 20 --out runs/algorithms");
  command->callback([flags] {
    experiment::install_interrupt_handler();
    flags->options.folder = flags->folder;
    experiment::AlgorithmBench comparison(experiment::load_config(flags->config, flags->overrides), flags->options);
    const std::vector<experiment::AlgorithmRow> rows = comparison.run();
    std::cout << experiment::algorithms_markdown(rows, comparison.table_options());
  });
}

}  // namespace polar::cli
