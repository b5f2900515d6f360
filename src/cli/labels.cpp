// polar labels: what stores hold, whether they are whole, and how they are merged, compared, imported and exported.

#include "cli/labels.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <vector>

#include "cli/commands.h"
#include "core/error.h"
#include "core/file.h"
#include "labels/check.h"
#include "labels/label_source.h"
#include "labels/label_store.h"
#include "labels/merge.h"

namespace polar::cli {
namespace {

std::filesystem::path made_folder(const std::filesystem::path& path) {
  if (!path.has_filename() || std::filesystem::is_directory(path)) {
    throw core::UsageError(fmt::format("{}: expected the name of a file to write, found a folder", path.string()));
  }
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  core::ensure_folder(folder);
  return folder;
}

void check_store(const std::string& path) {
  const int problems = labels::check_labels(path, [](const std::string& problem) { std::cout << problem << "\n"; });
  if (problems > 0) {
    throw core::Error(
        fmt::format("{}: expected a whole store, found {} problem{}, one a line above: restore a copy, or "
                    "make the labels again",
                    labels::label_file(path).string(), problems, problems == 1 ? "" : "s"));
  }
  std::cout << labels::label_file(path).string() << ": whole\n";
}

void add_labels_check(CLI::App& labels) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = labels.add_subcommand(
      "check",
      "Check a store's file, programs, rounds and verdicts; one line a problem, exit code 1 when there is one");
  command->add_option("store", *path, "Run folder or SQLite file")->required();
  command->footer("Example: polar labels check runs/quickstart");
  command->callback([path] { check_store(*path); });
}

struct MergeFlags {
  std::string out;
  std::vector<std::string> shards;
  bool new_search = false;
};

void merge(const MergeFlags& flags) {
  std::vector<std::filesystem::path> shards;
  for (const std::string& shard : flags.shards) shards.push_back(labels::label_file(shard));
  const OutputStore out(flags.out);
  labels::MergeOptions options;
  options.new_search = flags.new_search;
  options.message = [](const std::string& message) { std::cerr << message << "\n"; };
  for (const labels::MergedShard& shard : labels::merge_stores(out.lock, out.name, shards, options)) {
    std::cout << fmt::format("{}: {} trials, {} added\n", shard.path.string(), shard.trials, shard.added);
  }
  labels::LabelStore merged = labels::LabelStore::read(out.folder() / out.name);
  for (int search = 0; search < merged.search_count(); ++search) {
    merged.select_search(search);
    const labels::LabelDigests digests = merged.digests();
    std::cout << fmt::format("{}: {} trials under {}\n  verdicts {}\n  exact    {}\n", merged.path().string(),
                             digests.trials, merged.identity().fingerprint, digests.verdicts, digests.exact);
  }
}

void add_labels_merge(CLI::App& labels) {
  auto flags = std::make_shared<MergeFlags>();
  CLI::App* command = labels.add_subcommand(
      "merge",
      "Merge stores that were searched on different machines; killed at any moment, it goes on when run again");
  command->add_option("out", flags->out, "Merged store; a new file, or one to be added to")->required();
  command->add_option("shards", flags->shards, "Run folders or SQLite files")->required();
  command->add_flag("--new-search", flags->new_search,
                    "Keep shards of another fingerprint, stop rule, seed or settings as searches of their own");
  command->footer("Example: polar labels merge runs/all/labels.sqlite runs/first-machine runs/second-machine");
  command->callback([flags] { merge(*flags); });
}

}  // namespace

OutputStore::OutputStore(const std::filesystem::path& path) : lock(made_folder(path)), name(path.filename().string()) {}

void add_labels(CLI::App& app) {
  CLI::App* command = app.add_subcommand("labels", "Show, check, merge, compare, import and export labels");
  command->require_subcommand(1);
  add_labels_stats(*command);
  add_labels_check(*command);
  add_labels_merge(*command);
  add_labels_diff(*command);
  add_labels_import(*command);
  add_labels_export(*command);
  add_labels_rejudge(*command);
}

}  // namespace polar::cli
