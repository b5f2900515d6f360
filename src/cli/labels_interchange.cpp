// polar labels import and export: merged_mcts_samples.json and its variants.

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <unordered_map>
#include <vector>

#include "cli/labels.h"
#include "cli/split_flag.h"
#include "core/error.h"
#include "experiment/dataset.h"
#include "experiment/interrupt.h"
#include "experiment/schema.h"
#include "labels/export.h"
#include "labels/import.h"
#include "labels/label_source.h"
#include "pool/manifest.h"

namespace polar::cli {
namespace {

/// Problems shown one by one; all of them are counted, and stand in the store.
constexpr int kProblemsShown = 50;

struct ImportFlags {
  std::vector<std::string> files, data;
  std::string out, pool, split;
  int layers = 0;
};

labels::ImportedIdentity imported_identity(const ImportFlags& flags) {
  if (flags.pool.empty() == (flags.layers == 0)) {
    throw core::UsageError(
        "import: expected either --pool POOL or --layers D, to tell which layers there are, found both or neither");
  }
  if (flags.pool.empty()) return {flags.layers, {}, {}};
  const pool::Manifest manifest = pool::read_manifest(flags.pool);
  return {manifest.depth, manifest.model_name, manifest.weights_digest};
}

void import_files(const ImportFlags& flags) {
  experiment::install_interrupt_handler();
  std::vector<task::Example> rows;
  for (const std::string& file : flags.data) {
    std::vector<task::Example> read = task::read_jsonl(file);
    rows.insert(rows.end(), std::make_move_iterator(read.begin()), std::make_move_iterator(read.end()));
  }
  const labels::SampleJoin join(rows);
  const labels::ImportedIdentity identity = imported_identity(flags);
  const OutputStore out(flags.out);
  labels::ImportedLabels imported = labels::ImportedLabels::open(out.lock, out.name, identity);
  labels::ImportOptions options;
  options.split = split_named(flags.split);
  options.stop = &experiment::interrupt_flag();
  int problems = 0;
  for (const std::string& file : flags.files) {
    options.on_problem = [&](const labels::ImportProblem& problem) {
      if (++problems <= kProblemsShown) std::cerr << file << ": " << labels::to_string(problem) << "\n";
    };
    const labels::ImportedSource source = labels::import_file(imported, file, join, options);
    std::cout << fmt::format("{}: {} samples, {} programs, {} duplicates, {} problems\n", file, source.samples,
                             source.programs, source.duplicates, source.problems);
  }
  if (problems > kProblemsShown) {
    std::cerr << fmt::format("… and {} more problems; all of them: polar labels stats {} --problems\n",
                             problems - kProblemsShown, flags.out);
  }
  const labels::LabelDigests digests = imported.digests();
  std::cout << fmt::format("{}: {} programs, verdicts {}\n", flags.out, digests.trials, digests.verdicts);
}

struct ExportFlags {
  std::string store, file, config;
  std::vector<std::string> overrides;
  std::optional<int> search;
};

/// The configuration that the labels were made with: the one that is named, else the one beside the store.
std::string config_of(const ExportFlags& flags, const std::filesystem::path& store) {
  if (!flags.config.empty()) return flags.config;
  const std::filesystem::path beside = store.parent_path() / "config.yaml";
  if (std::filesystem::exists(beside)) return beside.string();
  throw core::UsageError(fmt::format(
      "{}: expected a config.yaml beside it, which tells the questions of its examples, found none: name it (--config)",
      store.string()));
}

/// The rows of the store's examples, in its order, proven to be those the labels were made on.
std::vector<task::Example> data_of(const labels::LabelStore& store, const experiment::Config& config,
                                   const std::string& origin) {
  const experiment::RunData data = experiment::make_data(config);
  std::unordered_map<std::string_view, const task::Example*> rows;
  for (const auto* split : {&data.dataset.train, &data.dataset.valid, &data.dataset.test}) {
    for (const task::Example& row : *split) rows.emplace(row.id, &row);
  }
  std::vector<task::Example> examples;
  for (const labels::StoredExample& example : store.registered_examples()) {
    const auto row = rows.find(example.id);
    if (row != rows.end()) examples.push_back(*row->second);
  }
  const std::string digest = experiment::data_digest(data.task, examples);
  if (digest == store.identity().task_digest) return examples;
  throw core::UsageError(fmt::format(
      "{}: task: the store was recorded with '{} {}', {} has '{} {}': name the configuration that the labels were made "
      "with (--config)",
      store.path().string(), store.identity().task_name, store.identity().task_digest, origin, data.task.name, digest));
}

void export_store(const ExportFlags& flags) {
  const std::filesystem::path store_path = labels::label_file(flags.store);
  labels::ExportReport report;
  if (std::filesystem::exists(store_path) && labels::kind_of_file(store_path) == "imported") {
    chosen_search("--search", flags.search, 1, store_path);
    report = labels::export_labels(labels::ImportedLabels::read(store_path), flags.file);
  } else {
    labels::LabelStore store = labels::LabelStore::read(store_path);
    store.select_search(chosen_search("--search", flags.search, store.search_count(), store_path));
    const std::string config = config_of(flags, store_path);
    report = labels::export_labels(store, data_of(store, experiment::load_config(config, flags.overrides), config),
                                   flags.file);
  }
  std::cout << fmt::format("{}: {} samples, {} programs", flags.file, report.samples, report.programs);
  if (report.examples_left_out > 0)
    std::cout << fmt::format("; {} examples without trials left out", report.examples_left_out);
  if (report.sampled_left_out > 0) std::cout << fmt::format("; {} sampled trials left out", report.sampled_left_out);
  std::cout << "\n";
}

}  // namespace

void add_labels_import(CLI::App& labels) {
  auto flags = std::make_shared<ImportFlags>();
  CLI::App* command = labels.add_subcommand(
      "import",
      "Import merged_mcts_samples.json files and their variants; killed at any moment, it goes on when run again");
  command->add_option("files", flags->files, "JSON files, also gzip; shards {start}_{end}.json are counted")
      ->required();
  command->add_option("--out", flags->out, "Store of imported labels; a new file, or one to be added to")->required();
  command->add_option("--data", flags->data, "JSONL rows that samples are joined with; may be given again")
      ->allow_extra_args(false);
  command->add_option("--pool", flags->pool, "Pool whose layers the programs are of");
  command->add_option("--layers", flags->layers, "Number of layers, where there is no pool")
      ->check(CLI::Range(1, 65535));
  command->add_option("--split", flags->split, "Split of the samples that name none; default: train")
      ->check(CLI::IsMember({"train", "valid", "test"}));
  command->footer(
      "Without --data every sample must hold question and answer. Programs that cannot be read are reported and kept "
      "in the\nstore's table problems.\n"
      "Example: polar labels import merged_mcts_samples.json --data data/train.jsonl --layers 28 --out "
      "imported.sqlite");
  command->callback([flags] { import_files(*flags); });
}

void add_labels_export(CLI::App& labels) {
  auto flags = std::make_shared<ExportFlags>();
  CLI::App* command = labels.add_subcommand("export", "Write labels as merged_mcts_samples.json");
  command->add_option("store", flags->store, "Run folder or SQLite file")->required();
  command->add_option("file", flags->file, "File to write; compressed when its name ends in .gz")->required();
  command->add_option("--config", flags->config,
                      "Configuration of the labels' run; default: config.yaml beside the store");
  command->add_option("--set", flags->overrides, "Override a key of the configuration; may be given again");
  command->add_option(
      "--search", flags->search,
      "Of a store with several searches that of this number in polar labels stats; default: the newest");
  command->footer(
      "Every program that was tried is written; training takes those that search.objective and search.minimise "
      "choose.\n"
      "Example: polar labels export runs/quickstart merged_mcts_samples.json.gz");
  command->callback([flags] { export_store(*flags); });
}

}  // namespace polar::cli
