// polar analyse: what a run's recorded trials say about programs and examples, without running anything.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/split_flag.h"
#include "core/error.h"
#include "eval/label_report.h"
#include "experiment/analyse_run.h"

namespace polar::cli {
namespace {

struct AnalyseFlags {
  std::string run;
  std::string split;
  std::string out;
  std::vector<std::string> compare;
  bool levels = false;
  bool json = false;
  experiment::AnalyseOptions options;
};

std::pair<std::string, std::filesystem::path> compared(const std::string& entry) {
  const std::size_t equals = entry.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == entry.size())
    throw core::UsageError("--compare: expected NAME=RUN, such as skip=runs/skip-only, found '" + entry + "'");
  return {entry.substr(0, equals), entry.substr(equals + 1)};
}

std::filesystem::path report_folder(const AnalyseFlags& flags) {
  if (!flags.out.empty()) return flags.out;
  const std::filesystem::path run = flags.run;
  return (std::filesystem::is_directory(run) ? run : run.parent_path()) / "report";
}

void analyse(AnalyseFlags flags) {
  flags.options.split = split_named(flags.split);
  for (const std::string& entry : flags.compare) flags.options.compare.push_back(compared(entry));
  const experiment::RunAnalysis analysis = experiment::analyse_run(flags.run, flags.options);
  const std::filesystem::path folder = report_folder(flags);
  eval::write_labels(folder, analysis.stem, analysis.figures, analysis.title);
  if (flags.json) {
    std::cout << eval::labels_json(analysis.figures);
    return;
  }
  std::cout << analysis.title << '\n'
            << eval::labels_console(analysis.figures, flags.levels) << (folder / (analysis.stem + ".md")).string()
            << " and " << analysis.stem << ".csv hold every figure\n";
}

}  // namespace

void add_analyse(CLI::App& app) {
  auto flags = std::make_shared<AnalyseFlags>();
  CLI::App* command = app.add_subcommand("analyse", "Figures of a run's labels, by level, from recorded trials alone");
  command
      ->add_option(
          "run", flags->run,
          "The run's folder, or one with the labels.sqlite that labels merge or rejudge wrote; or such a file, or "
          "one that labels import wrote")
      ->required();
  command
      ->add_option("--budget", flags->options.budget,
                   "Replay: as if each search had ended after so many trials; 0 = all of them")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--split", flags->split, "train, valid or test (the oracle's searches); default: train and valid")
      ->check(CLI::IsMember({"train", "valid", "test"}));
  command->add_option(
      "--compare", flags->compare,
      "NAME=RUN: a search of the same examples in another space, as a column of its own; the files are then "
      "named labels-vs-NAME");
  command->add_flag("--levels", flags->levels, "Print a line for each level");
  command->add_option("--out", flags->out,
                      "Folder of labels.csv and labels.md; default: RUN/report, or report beside the file, whose "
                      "name they then have");
  command->add_flag("--json", flags->json, "Print every figure as JSON instead of the table");
  command->footer(
      "Imported labels tell no order of trials: judged again or not, they have no figures by trials and no --budget, "
      "and no --compare before they are judged again (polar labels rejudge --out FOLDER/labels.sqlite).\n"
      "Example: polar analyse runs/quickstart --levels --budget 16 --compare skip=runs/quickstart-skip");
  command->callback([flags] { analyse(*flags); });
}

}  // namespace polar::cli
