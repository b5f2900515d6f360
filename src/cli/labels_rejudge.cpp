// polar labels rejudge: imported programs, run again on the model.

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "cli/labels.h"
#include "core/error.h"
#include "exec/model.h"
#include "experiment/dataset.h"
#include "experiment/interrupt.h"
#include "experiment/options.h"
#include "experiment/progress.h"
#include "experiment/recorded_search.h"
#include "experiment/schema.h"
#include "labels/import.h"
#include "labels/label_source.h"
#include "labels/label_store.h"
#include "labels/rejudge.h"
#include "labels/store_first_evaluator.h"
#include "pool/manifest.h"
#include "search/executor_evaluator.h"
#include "task/splits.h"

namespace polar::cli {
namespace {

struct RejudgeFlags {
  std::string source, config, cache_semantics, out;
  std::vector<std::string> overrides;
  bool new_search = false;
};

/// A folder for what a file is imported into, removed at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "polar_rejudge_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw core::Error(
          fmt::format("{}: cannot make a temporary folder: set TMPDIR to a folder that can be written to", name));
    }
    path = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path path;
};

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

class RejudgeCommand {
 public:
  explicit RejudgeCommand(const RejudgeFlags& flags)
      : flags_(flags),
        config_(config_of(flags)),
        manifest_(pool::read_manifest(config_.pool)),
        data_(experiment::make_data(config_)),
        imported_(open_source()),
        examples_(examples_of(imported_)),
        stored_(labels::tagged_examples(imported_, question_splits())) {
    refuse_other_model();
  }

  void run() {
    std::optional<OutputStore> out;
    if (!flags_.out.empty()) {  // what can be refused is refused before the model is loaded
      kind_ = labels::store_kind(stored_);
      out.emplace(flags_.out);
    }
    const exec::Model model =
        exec::load_model(config_.pool, config_.exec.dtype, config_.exec.kernels, config_.exec.device);
    exec::Executor executor(model.pool, model.tokenizer, experiment::exec_options(config_));
    exec::TaskEncoder encoder(model.pool->manifest(), *model.tokenizer, data_.task);
    search::ExecutorEvaluator executing(executor, encoder, examples_, exec::StopRule::kVerdict);
    std::optional<labels::LabelStore> store;
    std::optional<labels::StoreFirstEvaluator> resuming;
    labels::RejudgeOptions options;
    if (out) {
      store.emplace(open_store(*out, executor));
      resuming.emplace(*store, executing);
      options.store = &*store;
    }
    const labels::JudgedLabels judged = labels::to_judge(imported_);
    experiment::Progress progress("rejudge", static_cast<std::uint64_t>(labels::trials_to_judge(judged)), "programs");
    options.progress = [&](std::int64_t trials) { progress.add(static_cast<std::uint64_t>(trials)); };
    options.stop = &experiment::interrupt_flag();
    options.on_flip = [&](const labels::Flip& flip) { flips_.push_back(flip); };
    search::Evaluator& evaluator = resuming ? static_cast<search::Evaluator&>(*resuming) : executing;
    const std::vector<labels::RejudgeCount> counts = labels::rejudge(judged, evaluator, options);
    progress.finish();
    print(counts);
  }

 private:
  static experiment::Config config_of(const RejudgeFlags& flags) {
    experiment::Config config = experiment::load_config(flags.config, flags.overrides);
    if (!flags.cache_semantics.empty()) config.exec.cache_semantics = flags.cache_semantics;
    return config;
  }

  /// The store, or a file that is imported first, with the data of the configuration.
  labels::ImportedLabels open_source() {
    const std::filesystem::path path = labels::label_file(flags_.source);
    if (std::filesystem::exists(path) && !labels::kind_of_file(path).empty()) return labels::ImportedLabels::read(path);
    std::vector<task::Example> rows;
    for (const auto* split : {&data_.dataset.train, &data_.dataset.valid, &data_.dataset.test}) {
      rows.insert(rows.end(), split->begin(), split->end());
    }
    constexpr const char* kName = "imported.sqlite";
    {
      const labels::RunLock lock(scratch_.path);
      labels::ImportedLabels imported =
          labels::ImportedLabels::open(lock, kName, {manifest_.depth, manifest_.model_name, manifest_.weights_digest});
      labels::ImportOptions options;
      options.on_problem = [&](const labels::ImportProblem& problem) {
        std::cerr << flags_.source << ": " << labels::to_string(problem) << "\n";
      };
      labels::import_file(imported, path, labels::SampleJoin(rows), options);
    }
    return labels::ImportedLabels::read(scratch_.path / kName);
  }

  static std::vector<task::Example> examples_of(const labels::ImportedLabels& imported) {
    std::vector<task::Example> examples;
    for (labels::ImportedExample& row : imported.examples()) {
      task::Example& example = examples.emplace_back();
      example.id = row.example.id;
      example.question = std::move(row.question);
      example.answer = std::move(row.answer);
      example.level = std::move(row.example.level);
    }
    if (!examples.empty()) return examples;
    throw core::Error(fmt::format("{}: expected at least one imported example, found none", imported.path().string()));
  }

  labels::QuestionSplits question_splits() const {
    labels::QuestionSplits splits;
    const auto add = [&](const std::vector<task::Example>& rows, labels::Split split) {
      for (const task::Example& row : rows) splits[task::normalised_question(row.question)] = split;
    };
    add(data_.dataset.train, labels::Split::kTrain);
    add(data_.dataset.valid, labels::Split::kValid);
    add(data_.dataset.test, labels::Split::kTest);
    for (const task::NamedSplit& ood : data_.dataset.ood) add(ood.examples, labels::Split::kTest);
    return splits;
  }

  void refuse_other_model() const {
    const labels::ImportedIdentity& identity = imported_.identity();
    const bool other_weights = !identity.weights_digest.empty() && identity.weights_digest != manifest_.weights_digest;
    if (identity.depth == manifest_.depth && !other_weights) return;
    throw core::UsageError(
        fmt::format("{}: expected labels of {} ({} layers, weights {}), found labels of {} layers, weights {}: name "
                    "the pool they were imported for (--set pool=POOL)",
                    imported_.path().string(), config_.pool, manifest_.depth, manifest_.weights_digest, identity.depth,
                    identity.weights_digest.empty() ? "not said" : identity.weights_digest));
  }

  labels::LabelStore open_store(const OutputStore& out, const exec::Executor& executor) const {
    const std::string settings = fmt::format("{} {}; cache semantics {}", labels::kRejudgedImport,
                                             imported_.digests().verdicts, config_.exec.cache_semantics);
    labels::LabelStore store = labels::LabelStore::open(
        out.lock, out.name, experiment::store_identity(executor, data_.task, examples_),
        {settings, "verdict", config_.seed},
        {kind_, flags_.new_search, [](const std::string& message) { std::cerr << message << "\n"; }, {}});
    store.add_examples(stored_);
    return store;
  }

  void print(const std::vector<labels::RejudgeCount>& counts) const {
    for (const labels::Flip& flip : flips_) {
      std::cout << fmt::format("{}\t{}\t{}\n", flip.example, flip.program.text(),
                               flip.before ? "imported as valid, wrong now" : "imported as invalid, right now");
    }
    std::cout << fmt::format("{:<30} {:>9} {:>9} {:>8} {:>9} {:>9} {:>8}\n", "level", "valid", "flipped", "percent",
                             "invalid", "flipped", "percent");
    labels::RejudgeCount all{"all"};
    for (const labels::RejudgeCount& count : counts) {
      print(count);
      all += count;
    }
    print(all);
  }

  static void print(const labels::RejudgeCount& count) {
    std::cout << fmt::format("{:<30} {:>9} {:>9} {:>8.2f} {:>9} {:>9} {:>8.2f}\n", count.level, count.valid,
                             count.valid_flipped, percent(count.valid_flipped, count.valid), count.invalid,
                             count.invalid_flipped, percent(count.invalid_flipped, count.invalid));
  }

  const RejudgeFlags& flags_;
  experiment::Config config_;
  pool::Manifest manifest_;
  experiment::RunData data_;
  ScratchFolder scratch_;
  labels::ImportedLabels imported_;
  std::vector<task::Example> examples_;
  std::vector<labels::StoredExample> stored_;
  labels::StoreKind kind_ = labels::StoreKind::kLabels;
  std::vector<labels::Flip> flips_;
};

}  // namespace

void add_labels_rejudge(CLI::App& labels) {
  auto flags = std::make_shared<RejudgeFlags>();
  CLI::App* command = labels.add_subcommand(
      "rejudge", "Run imported programs on the model: which verdicts hold, and the rate of those that flip");
  command->add_option("source", flags->source, "Store of imported labels, or a file polar labels import reads")
      ->required();
  command->add_option("config", flags->config, "Configuration (YAML) with pool, prompt and grader")->required();
  command->add_option("--set", flags->overrides, "Override a key, as in --set pool=pools/other; may be given again");
  command
      ->add_option("--cache-semantics", flags->cache_semantics,
                   "per_step, or shared_slot, as labels of the authors' code were made; default: exec.cache_semantics "
                   "of the configuration")
      ->check(CLI::IsMember({"per_step", "shared_slot"}));
  command->add_option("--out", flags->out,
                      "Also record the outcomes in this label store; interrupted, it goes on from there. Test examples "
                      "go into a store of their own, which nothing is trained on");
  command->add_flag("--new-search", flags->new_search,
                    "Record under another fingerprint or other settings than the store's as a search of its own");
  command->footer("Example: polar labels rejudge imported.sqlite configs/quickstart.yaml --out rejudged/labels.sqlite");
  command->callback([flags] {
    experiment::install_interrupt_handler();
    RejudgeCommand(*flags).run();
  });
}

}  // namespace polar::cli
