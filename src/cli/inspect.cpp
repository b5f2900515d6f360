// polar inspect: what a pool is, and whether it is whole.

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "core/error.h"
#include "exec/model.h"
#include "labels/label_store.h"

namespace polar::cli {
namespace {

void inspect_pool(const std::filesystem::path& folder) {
  const exec::Model model = exec::load_model(folder, "auto");
  const pool::Manifest& manifest = model.pool->manifest();
  std::cout << fmt::format(
      "pool        {}\nmodel       {} ({}, {})\nsource      {}\nlayers      {} of width {}, {} heads, {} key/value "
      "heads of size {}\n"
      "vocabulary  {} (tokenizer {})\ncontext     {} tokens\nstored as   {}, exported with torch {}\nchat        "
      "{}\nweights     {}\n"
      "files       {}, all of the recorded size and SHA-256; every module ran\n",
      folder.string(), manifest.model_name, manifest.architecture, manifest.licence, manifest.source, manifest.depth,
      manifest.hidden, manifest.heads, manifest.kv_heads, manifest.head_size, manifest.vocabulary,
      model.tokenizer->vocabulary_size(), manifest.context, pool::to_string(manifest.stored_dtype),
      manifest.torch_version, manifest.chat ? "template present" : "none", manifest.weights_digest,
      manifest.files.size());
}

void inspect_store(const std::filesystem::path& file) {
  const labels::LabelStore store = labels::LabelStore::read(file);
  std::cout << fmt::format("\n{}\n  {:<6} {:<32} {:>9} {:>9} {:>9} {:>11}\n", file.string(), "split", "level",
                           "examples", "searched", "solved", "trials");
  for (const labels::LevelCount& count : store.level_counts()) {
    std::cout << fmt::format("  {:<6} {:<32} {:>9} {:>9} {:>9} {:>11}\n", labels::to_string(count.split), count.level,
                             count.examples, count.done, count.solved, count.trials);
  }
  const labels::LabelDigests digests = store.digests();
  std::cout << fmt::format("  {} trials\n  verdicts {}\n  exact    {}\n", digests.trials, digests.verdicts,
                           digests.exact);
}

void inspect_run(const std::filesystem::path& folder) {
  std::cout << fmt::format("run {}\n", folder.string());
  bool any = false;
  for (const char* name : {"labels.sqlite", "oracle.sqlite"}) {
    if (!std::filesystem::exists(folder / name)) continue;
    inspect_store(folder / name);
    any = true;
  }
  if (!any) std::cout << "no labels yet: polar search or polar run makes them\n";
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto folder = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("inspect", "Check a pool or show what a run holds");
  command->add_option("folder", *folder, "Pool or run folder")->required();
  command->footer("Example: polar inspect pools/smollm2-135m");
  command->callback([folder] {
    const std::filesystem::path path = *folder;
    if (std::filesystem::exists(path / "config.yaml")) return inspect_run(path);
    if (!std::filesystem::exists(path / "pool.json")) {
      throw core::Error(
          fmt::format("{}: expected a pool (pool.json) or a run (config.yaml), found neither; scripts/export.py makes "
                      "pools, polar run makes runs",
                      path.string()));
    }
    inspect_pool(path);
  });
}

}  // namespace polar::cli
