#pragma once
// The subcommands of polar control.

#include <CLI/CLI.hpp>

namespace polar::cli {

void add_rerun_controls(CLI::App& control);  ///< reexecution, null

}  // namespace polar::cli
