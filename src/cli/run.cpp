// polar run, search, train, eval: a run from its configuration, whole or one stage.

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/error.h"
#include "experiment/experiment.h"
#include "experiment/interrupt.h"
#include "experiment/schema.h"

namespace polar::cli {
namespace {

struct RunFlags {
  std::string config;
  std::vector<std::string> overrides;
  std::string part = "1/1";
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

CLI::App* add_stage_command(CLI::App& app, const std::string& name, const std::string& help, bool searches,
                            Stages stages, const std::shared_ptr<RunFlags>& flags = std::make_shared<RunFlags>()) {
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
    const experiment::SearchPart part = part_named(flags->part);
    experiment::install_interrupt_handler();
    experiment::Experiment experiment(experiment::load_config(flags->config, flags->overrides), flags->options);
    stages(experiment, part);
  });
  return command;
}

}  // namespace

void add_run(CLI::App& app) {
  using experiment::Experiment;
  using experiment::SearchPart;
  add_stage_command(app, "run", "Search, train and evaluate; skips what is up to date", true,
                    [](Experiment& run, const SearchPart&) {
                      run.search();
                      run.train();
                      run.evaluate();
                    });
  const auto search_flags = std::make_shared<RunFlags>();
  add_stage_command(
      app, "search", "Search programs for the train and validation examples", true,
      [](Experiment& run, const SearchPart& part) { run.search(part); }, search_flags)
      ->add_option("--part", search_flags->part,
                   "Search a part of the examples, as in 2/3, so that machines share the work; give each part a run of "
                   "its own, and merge them (polar labels merge)")
      ->capture_default_str();
  add_stage_command(app, "train", "Train predictor and menu on the labels", false,
                    [](Experiment& run, const SearchPart&) { run.train(); });
  add_stage_command(app, "eval", "Evaluate every policy on test and out-of-distribution sets", false,
                    [](Experiment& run, const SearchPart&) { run.evaluate(); });
}

}  // namespace polar::cli
