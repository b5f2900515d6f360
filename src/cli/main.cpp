// polar: programs of layers for frozen language models. Each command is declared in a file of its own (commands.h).

#include <fmt/format.h>

#include <exception>
#include <iostream>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/version.h"
#include "core/error.h"

/// Read by jemalloc, which the program allocates with: glibc's heap falls into pieces that fit no state any more, and a
/// search of 400,000 programs came to hold three times what it uses. Freed pages are kept: every batch allocates the
/// same large buffers again, which the system would have to clear each time (5 to 8 % of a search).
extern "C" const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1";

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int run(int argc, char** argv) {
  CLI::App app(
      "polar runs the layers of a frozen language model as programs: it searches them, learns to choose them and "
      "measures them.",
      "polar");
  app.set_version_flag("--version", [] { return polar::cli::version_text(); });
  app.failure_message([](const CLI::App* command, const CLI::Error& error) {
    return "polar: " + CLI::FailureMessage::simple(command, error);
  });
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted (state kept).\nHelp for a "
      "command: polar COMMAND --help");
  polar::cli::add_run(app);
  polar::cli::add_analyse(app);
  polar::cli::add_inspect(app);
  polar::cli::add_generate(app);
  polar::cli::add_tokenize(app);
  polar::cli::add_labels(app);
  polar::cli::add_control(app);
  polar::cli::add_scan(app);
  polar::cli::add_bench(app);
  polar::cli::add_help(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUsage;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const polar::core::Error& error) {
    std::cerr << fmt::format("polar: {}\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << fmt::format("polar: {}\n", error.what());
    return kFailed;
  }
}
