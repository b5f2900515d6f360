#pragma once
// The subcommands of polar labels.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "labels/run_lock.h"

namespace polar::cli {

void add_labels_stats(CLI::App& labels);
void add_labels_diff(CLI::App& labels);
void add_labels_import(CLI::App& labels);
void add_labels_export(CLI::App& labels);
void add_labels_rejudge(CLI::App& labels);

/// The search that a flag names, of so many: numbered from 0, the oldest; without a number the newest. Throws
/// core::UsageError where there is none of that number.
int chosen_search(const std::string& flag, std::optional<int> search, int searches, const std::filesystem::path& store);

/// A store to be written: its folder, made when absent and locked, and its name there.
struct OutputStore {
  explicit OutputStore(const std::filesystem::path& path);
  std::filesystem::path folder() const { return lock.folder(); }
  labels::RunLock lock;
  std::string name;
};

}  // namespace polar::cli
