// polar control: how much of what a search found is luck, and how much of it holds.

#include "cli/control.h"

namespace polar::cli {

void add_control(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("control", "Controls of a run's search: do its labels hold, and are they luck");
  command->require_subcommand(1);
  add_rerun_controls(*command);
}

}  // namespace polar::cli
