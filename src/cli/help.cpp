// polar help config: every key of a configuration with its range, default and meaning.

#include <iostream>

#include "cli/commands.h"
#include "experiment/schema.h"

namespace polar::cli {

void add_help(CLI::App& app) {
  CLI::App* command = app.add_subcommand("help", "Explain the configuration keys");
  command->require_subcommand(1);
  command->add_subcommand("config", "Every key with its range, default and meaning")->callback([] {
    std::cout << experiment::config_help();
  });
}

}  // namespace polar::cli
