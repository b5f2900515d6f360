// polar: programs of layers for frozen language models. Each command is declared in a file of its own (commands.h).

#include <fmt/format.h>
#include <malloc.h>

#include <climits>
#include <exception>
#include <iostream>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/version.h"
#include "core/error.h"

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

/// Every batch allocates the same large buffers again: memory given back to the system in between would have to be
/// cleared by it each time (5 to 8 % of a search).
void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest it takes
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_ARENA_MAX, 1);  // other arenas' heaps are too small for such buffers; small ones come from a thread's cache
#endif
}

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
  keep_freed_memory();
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
