#pragma once
// The subcommands of polar bench, one file each.

#include <CLI/CLI.hpp>

namespace polar::cli {

void add_bench_trials(CLI::App& bench);
void add_bench_search(CLI::App& bench);
void add_bench_generate(CLI::App& bench);
void add_bench_algorithms(CLI::App& bench);
void add_bench_labels(CLI::App& bench);
void add_bench_tokenize(CLI::App& bench);

}  // namespace polar::cli
