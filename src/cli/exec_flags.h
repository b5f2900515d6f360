#pragma once
// Options of the commands that run a model without a configuration file.

#include <CLI/CLI.hpp>
#include <string>

#include "exec/executor.h"
#include "exec/model.h"

namespace polar::cli {

struct ExecFlags {
  std::string dtype = "auto", kernels = "auto", device = "cpu", cache_semantics = "per_step";
  int workers = 0, chunk_rows = 0, cache_mb = 256, wave_mb = 768;

  exec::Model load(const std::string& pool) const { return exec::load_model(pool, dtype, kernels, device); }

  exec::ExecOptions options() const {
    exec::ExecOptions options;
    options.workers = workers;
    options.layer_rows = chunk_rows;
    options.cache_bytes = static_cast<std::size_t>(cache_mb) << 20;
    options.wave_bytes = static_cast<std::size_t>(wave_mb) << 20;
    options.cache_semantics = exec::parse_cache_semantics(cache_semantics);
    return options;
  }

  void declare(CLI::App& command) {
    command.add_option("--dtype", dtype, "auto, bfloat16 or float32")->capture_default_str();
    command
        .add_option("--kernels", kernels,
                    "What multiplies: auto, library (LibTorch), rows (polar's), pairs (AVX512-BF16) or tiles (AMX)")
        ->capture_default_str();
    command.add_option("--device", device, "Where layers run: cpu, cuda or cuda:N")->capture_default_str();
    command.add_option("--workers", workers, "Threads; 0 = one a core")
        ->capture_default_str()
        ->check(CLI::Range(0, 1024));
    command
        .add_option("--chunk-rows", chunk_rows,
                    "R, the rows of one call of a layer, as exec.chunk_rows; 0 = the device's default")
        ->capture_default_str()
        ->check([](const std::string& text) {
          int rows = 0;
          const bool fits = CLI::detail::lexical_cast(text, rows) && rows >= 0 && rows <= 65536 && rows % 32 == 0;
          return fits ? std::string() : "expected 0 or a multiple of 32 up to 65536, found " + text;
        });
    command.add_option("--cache-mb", cache_mb, "MiB of states kept between calls, as exec.cache_mb")
        ->capture_default_str()
        ->check(CLI::Range(0, 1 << 20));
    command
        .add_option("--wave-mb", wave_mb,
                    "MiB of states of trials in flight, divided among the workers, as exec.wave_mb")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
    command
        .add_option("--cache-semantics", cache_semantics,
                    "Keys a repeated layer sees: per_step (its own run's), or shared_slot (its other runs' too, as in "
                    "the authors' code)")
        ->capture_default_str()
        ->check(CLI::IsMember({"per_step", "shared_slot"}));
  }
};

}  // namespace polar::cli
