#pragma once
// The subcommands of polar control.

#include <CLI/CLI.hpp>
#include <filesystem>

#include "eval/control_report.h"

namespace polar::cli {

/// Prints what a control wrote into the folder, warnings to standard error.
void show_control(const std::filesystem::path& folder, const eval::ControlReport& report);

void add_rerun_controls(CLI::App& control);  ///< reexecution, null

}  // namespace polar::cli
