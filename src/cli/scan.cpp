// polar scan: every contiguous block of layers repeated, and skipped, on a data set.

#include "experiment/scan.h"

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/split_flag.h"
#include "experiment/interrupt.h"
#include "experiment/schema.h"

namespace polar::cli {
namespace {

struct ScanFlags {
  std::string config, split = "train", folder;
  std::vector<std::string> overrides;
  experiment::ScanOptions options;
};

}  // namespace

void add_scan(CLI::App& app) {
  auto flags = std::make_shared<ScanFlags>();
  auto& options = flags->options;
  CLI::App* command = app.add_subcommand(
      "scan", "Repeat, and skip, every contiguous block of layers on one data set: accuracy and log-probability");
  command->add_option("config", flags->config, "Configuration file (YAML); keys: polar help config")->required();
  command->add_option("--set", flags->overrides, "Override a key, as in --set pool=pools/other; may be given again");
  command->add_option("--out", flags->folder,
                      "Folder for scan.csv, scan.md and scan.sqlite, from which the same command resumes; default: the "
                      "run's, with -scan behind its name");
  command->add_option("--split", flags->split, "train or valid")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "valid"}));
  command->add_option("--examples", options.examples_per_level, "So many examples a level, drawn by hash; 0: all")
      ->capture_default_str()
      ->check(CLI::Range(0, 10000000));
  command->add_option("--max-block", options.max_block, "Most layers of a block; 0: all of the model")
      ->capture_default_str()
      ->check(CLI::Range(0, 10000000));
  command->footer(
      "scripts/scan_plot.py FOLDER draws the heat maps.\n"
      "Example: polar scan configs/ladder.yaml --examples 10 --max-block 8 --out runs/ladder-scan");
  command->callback([flags] {
    experiment::install_interrupt_handler();
    flags->options.folder = flags->folder;
    flags->options.split = *split_named(flags->split);
    const experiment::Scan scan =
        experiment::run_scan(experiment::load_config(flags->config, flags->overrides), flags->options);
    std::cout << scan.markdown << '\n' << (scan.folder / "scan.csv").string() << " holds every block\n";
  });
}

}  // namespace polar::cli
