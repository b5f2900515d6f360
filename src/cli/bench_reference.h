#pragma once
// bench/reference_hf.py as one more variant of a measurement.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "cli/bench_runs.h"

namespace polar::cli {

/// Where the reference lives; defaults are those of a checkout whose scripts were run from its root.
struct ReferenceFlags {
  std::string python = ".venv/bin/python", script = "bench/reference_hf.py", hf_folder = ".cache/smollm2-hf";
  void declare(CLI::App& command);
};

/// A trials file for the reference; it goes with its owner.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct ReferenceRun {
  std::string trials;  ///< path of a trials file
  std::string mode;    ///< "batched" | "single"
  std::string dtype;   ///< "bfloat16" | "float32"
  std::string device;  ///< "cpu" | "cuda:N"
  int max_new_tokens = 0, threads = 1, batch = 64;
  double seconds = 0;  ///< all trials again until so many have passed
};

/// Runs the script to its end and reads its line: units are rollouts; `correct` is left to the caller's grader. Throws
/// core::Error when it fails, with the command.
BenchRun run_reference(const ReferenceFlags& flags, const ReferenceRun& run);

}  // namespace polar::cli
