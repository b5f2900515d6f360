#pragma once
// One function a command: it declares the command's options and what runs when it is chosen. main.cpp calls each once.

#include <CLI/CLI.hpp>

namespace polar::cli {

void add_run(CLI::App& app);  ///< run, search, train, eval
void add_analyse(CLI::App& app);
void add_inspect(CLI::App& app);
void add_generate(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_scan(CLI::App& app);
void add_labels(CLI::App& app);   ///< labels stats, check, merge, diff, import, export, rejudge
void add_control(CLI::App& app);  ///< control sampling, chance, reexecution, null
void add_bench(CLI::App& app);
void add_help(CLI::App& app);  ///< help config

}  // namespace polar::cli
