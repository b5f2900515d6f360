// polar inspect: what a pool is, and whether it is whole; what a run holds; what a configuration asks.

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "core/error.h"
#include "exec/model.h"
#include "experiment/dataset.h"
#include "experiment/schema.h"
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

struct InspectFlags {
  std::string path;
  std::vector<std::string> overrides;
  bool questions = false;
};

void print_questions(std::string_view split, std::span<const task::Example> examples) {
  for (const task::Example& example : examples) {
    std::cout << nlohmann::json{{"split", split},
                                {"id", example.id},
                                {"problem", task::problem_of(example)},
                                {"level", example.level},
                                {"question", example.question},
                                {"answer", example.answer}}
                     .dump()
              << '\n';
  }
}

void inspect_config(const InspectFlags& flags) {
  const experiment::RunData data = experiment::make_data(experiment::load_config(flags.path, flags.overrides));
  if (!flags.questions) {
    std::cout << experiment::describe(data.dataset);
    return;
  }
  print_questions("train", data.dataset.train);
  print_questions("valid", data.dataset.valid);
  print_questions("test", data.dataset.test);
  for (const task::NamedSplit& split : data.dataset.ood) print_questions(split.name, split.examples);
}

bool is_config(const std::filesystem::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* command = app.add_subcommand("inspect", "Check a pool, show what a run holds or what a configuration asks");
  command->add_option("path", flags->path, "Pool folder, run folder or configuration (YAML)")->required();
  command->add_option("--set", flags->overrides,
                      "Override a key of the configuration, as in --set seed=2; may be given again");
  command->add_flag("--questions", flags->questions,
                    "Every question of the configuration as a line of JSON, with its split, instead of their numbers");
  command->footer("Example: polar inspect configs/quickstart.yaml --set seed=2 --questions");
  command->callback([flags] {
    const std::filesystem::path path = flags->path;
    if (is_config(path)) return inspect_config(*flags);
    if (flags->questions || !flags->overrides.empty())
      throw core::UsageError(
          fmt::format("--questions and --set: expected a configuration (YAML), found {}", path.string()));
    if (std::filesystem::exists(path / "config.yaml")) return inspect_run(path);
    if (!std::filesystem::exists(path / "pool.json")) {
      throw core::Error(
          fmt::format("{}: expected a pool (pool.json), a run (config.yaml) or a configuration (YAML), found none; "
                      "scripts/export.py makes pools, polar run makes runs",
                      path.string()));
    }
    inspect_pool(path);
  });
}

}  // namespace polar::cli
