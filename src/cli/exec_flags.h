#pragma once
// Options of the commands that run a model without a configuration file.

#include <CLI/CLI.hpp>
#include <string>

#include "exec/executor.h"

namespace polar::cli {

struct ExecFlags {
  std::string dtype = "auto", kernels = "auto";
  int workers = 0;

  exec::ExecOptions options() const {
    exec::ExecOptions options;
    options.workers = workers;
    return options;
  }

  void declare(CLI::App& command) {
    command.add_option("--dtype", dtype, "auto, bfloat16 or float32")->capture_default_str();
    command
        .add_option("--kernels", kernels,
                    "What multiplies: auto, library (LibTorch), rows (polar's), pairs (AVX512-BF16) or tiles (AMX)")
        ->capture_default_str();
    command.add_option("--workers", workers, "Threads; 0 = one a core")
        ->capture_default_str()
        ->check(CLI::Range(0, 1024));
  }
};

}  // namespace polar::cli
