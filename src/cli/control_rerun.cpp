// polar control reexecution, null: a run's trials once more, run another way or on a model of noise.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "cli/control.h"
#include "cli/split_flag.h"
#include "experiment/interrupt.h"
#include "experiment/null_control.h"
#include "experiment/reexecution.h"

namespace polar::cli {
namespace {

struct ReexecutionFlags {
  std::string run, split;
  experiment::ReexecutionOptions options;
};

struct NullFlags {
  std::string run;
  std::vector<std::string> layers = {"shuffled", "reinitialised"};
  int examples_per_level = 0;
};

std::filesystem::path controls_of(const std::string& run) {
  return std::filesystem::path(run) / "controls";
}

void add_reexecution(CLI::App& control) {
  auto flags = std::make_shared<ReexecutionFlags>();
  auto& options = flags->options;
  options.variants = experiment::reexecution_variants();
  CLI::App* command = control.add_subcommand(
      "reexecution",
      "Run the recorded programs again in other batches, without batch-invariant execution, in the other "
      "dtype and under the other cache semantics: which verdicts hold");
  command->add_option("run", flags->run, "The run's folder")->required();
  command
      ->add_option("--variants", options.variants,
                   fmt::format("Separated by commas; of {}", fmt::join(options.variants, ", ")))
      ->delimiter(',')
      ->capture_default_str();
  command
      ->add_option("--examples", options.examples.examples_per_level,
                   "So many searched examples a level, drawn by hash; 0: all")
      ->capture_default_str()
      ->check(CLI::Range(0, 10000000));
  command->add_option("--split", flags->split, "train, valid or test (the oracle's searches); default: train and valid")
      ->check(CLI::IsMember({"train", "valid", "test"}));
  command->footer(
      "Leaves RUN/controls/reexecution.csv and .md, and every flip in reexecution-flips.csv; of test examples, the "
      "same under reexecution-test.\n"
      "Example: polar control reexecution runs/quickstart --variants batch,dtype --examples 20");
  command->callback([flags] {
    experiment::install_interrupt_handler();
    flags->options.examples.split = split_named(flags->split);
    show_control(controls_of(flags->run), experiment::reexecute(flags->run, flags->options).report);
  });
}

void add_null(CLI::App& control) {
  auto flags = std::make_shared<NullFlags>();
  CLI::App* command = control.add_subcommand(
      "null",
      "Repeat the run's search on the same layers in a shuffled order, or with weights drawn anew: what it finds "
      "in noise");
  command->add_option("run", flags->run, "The run's folder; its search has ended")->required();
  command->add_option("--layers", flags->layers, "Separated by commas; of shuffled, reinitialised")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"shuffled", "reinitialised"}));
  command
      ->add_option(
          "--examples", flags->examples_per_level,
          "So many examples a level, drawn by hash; 0: all of the run's. With a pilot (search.algorithm transfer) "
          "the pilot is searched too")
      ->capture_default_str()
      ->check(CLI::Range(0, 10000000));
  command->footer(
      "Leaves RUN/controls/null.csv and .md, and the searches in null-<layers>.sqlite.\n"
      "Example: polar control null runs/quickstart --layers shuffled --examples 20");
  command->callback([flags] {
    experiment::install_interrupt_handler();
    experiment::NullControlOptions options;
    options.examples_per_level = flags->examples_per_level;
    for (const std::string& name : flags->layers) options.layers.push_back(pool::null_layers_of(name));
    show_control(controls_of(flags->run), experiment::null_control(flags->run, options));
  });
}

}  // namespace

void add_rerun_controls(CLI::App& control) {
  add_reexecution(control);
  add_null(control);
}

}  // namespace polar::cli
