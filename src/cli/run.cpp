// polar run, search, train, eval: a run from its configuration, whole or one stage.

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "experiment/experiment.h"
#include "experiment/interrupt.h"
#include "experiment/schema.h"

namespace polar::cli {
namespace {

struct RunFlags {
  std::string config;
  std::vector<std::string> overrides;
  experiment::RunOptions options;
};

using Stages = void (*)(experiment::Experiment&);

void add_stage_command(CLI::App& app, const std::string& name, const std::string& help, bool searches, Stages stages) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("config", flags->config, "Configuration file (YAML); keys: polar help config")->required();
  command->add_option("--set", flags->overrides, "Override a key, as in --set search.rollouts=50; may be given again");
  if (searches) {
    command->add_flag("--fresh", flags->options.fresh, "Empty the run's folder first");
    command->add_flag("--new-search", flags->options.new_search,
                      "Where the labels were made on another machine or by another version, keep them and search anew");
  }
  command->footer("Example: polar " + name + " configs/quickstart.yaml --set seed=2 --set name=seed-2");
  command->callback([flags, stages] {
    experiment::install_interrupt_handler();
    experiment::Experiment experiment(experiment::load_config(flags->config, flags->overrides), flags->options);
    stages(experiment);
  });
}

}  // namespace

void add_run(CLI::App& app) {
  using experiment::Experiment;
  add_stage_command(app, "run", "Search, train and evaluate; skips what is up to date", true, [](Experiment& run) {
    run.search();
    run.train();
    run.evaluate();
  });
  add_stage_command(app, "search", "Search programs for the train and validation examples", true,
                    [](Experiment& run) { run.search(); });
  add_stage_command(app, "train", "Train predictor and menu on the labels", false,
                    [](Experiment& run) { run.train(); });
  add_stage_command(app, "eval", "Evaluate every policy on test and out-of-distribution sets", false,
                    [](Experiment& run) { run.evaluate(); });
}

}  // namespace polar::cli
