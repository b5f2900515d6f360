// polar control: what a search's result is worth, against samples of the unchanged model and against luck.

#include "cli/control.h"

#include <iostream>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/split_flag.h"
#include "experiment/controls_chance.h"
#include "experiment/controls_sampling.h"
#include "experiment/interrupt.h"

namespace polar::cli {
namespace {

/// What every control takes.
struct ControlFlags {
  std::string run, split;
  experiment::RecordedChoice options;
  int budget = 0;

  void declare(CLI::App& command) {
    command.add_option("run", run, "The run's folder, whose search has begun")->required();
    command.add_option("--split", split, "train or valid; default: both")->check(CLI::IsMember({"train", "valid"}));
    command
        .add_option("--examples", options.examples_per_level,
                    "So many searched examples of a level, drawn by hash; 0 = all. Each problem is judged once, those "
                    "of transfer's pilot are left out: another algorithm searched them")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    command.add_option("--budget", budget, "The first so many recorded programs of each example; 0 = all")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    command.add_option("--set", options.overrides,
                       "Override a key of exec, as in --set exec.workers=1; may be given again");
  }
};

/// Runs a control, writes its files and prints its tables.
template <typename Control, typename Options>
void run_control(const ControlFlags& flags, Control control, const Options& options) {
  experiment::install_interrupt_handler();
  experiment::RecordedChoice run_options = flags.options;
  run_options.split = split_named(flags.split);
  experiment::ControlRun run(flags.run, run_options, flags.budget);
  const eval::ControlReport report = control(run, options);
  eval::write_control(run.folder(), report);
  show_control(run.folder(), report);
}

void add_sampling_control(CLI::App& control) {
  struct Flags : ControlFlags {
    experiment::SamplingControlOptions sampling;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = control.add_subcommand(
      "sampling", "Sample the unchanged model as often as the search tried programs, and compare what is solved");
  flags->declare(*command);
  command->add_option("--temperatures", flags->sampling.temperatures, "Comma list of temperatures above 0")
      ->delimiter(',')
      ->capture_default_str();
  command->footer("Example: polar control sampling runs/quickstart --examples 20 --temperatures 0.7");
  command->callback([flags] { run_control(*flags, experiment::sampling_control, flags->sampling); });
}

void add_chance_control(CLI::App& control) {
  struct Flags : ControlFlags {
    experiment::ChanceControlOptions chance;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = control.add_subcommand(
      "chance", "Grade the tried programs' answers against the references of other examples: what luck explains");
  flags->declare(*command);
  command->add_option("--permutations", flags->chance.permutations, "Permutations of the references of a level")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command->footer("Example: polar control chance runs/quickstart --budget 16");
  command->callback([flags] { run_control(*flags, experiment::chance_control, flags->chance); });
}

}  // namespace

void show_control(const std::filesystem::path& folder, const eval::ControlReport& report) {
  for (const std::string& warning : report.warnings) std::cerr << warning << "\n";
  std::cout << eval::control_console(report) << '\n'
            << (folder / (report.name + ".md")).string() << " and " << report.name << ".csv hold these figures\n";
}

void add_control(CLI::App& app) {
  CLI::App* control = app.add_subcommand("control", "Controls of a run's search: what its result may claim");
  control->require_subcommand(1);
  add_sampling_control(*control);
  add_chance_control(*control);
  add_rerun_controls(*control);
}

}  // namespace polar::cli
