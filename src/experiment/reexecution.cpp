#include "experiment/reexecution.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "eval/control_table.h"
#include "eval/label_report.h"
#include "eval/metrics.h"
#include "eval/statistics.h"
#include "eval/table_text.h"
#include "exec/model.h"
#include "experiment/interrupt.h"
#include "experiment/options.h"
#include "experiment/progress.h"
#include "experiment/recorded_search.h"
#include "labels/run_lock.h"
#include "labels/store_first_evaluator.h"
#include "search/executor_evaluator.h"

namespace polar::experiment {
namespace {

constexpr const char* kAnalysis = "reexecution";

std::vector<std::string> checked_variants(const std::vector<std::string>& wanted) {
  const std::vector<std::string>& known = reexecution_variants();
  if (wanted.empty()) return known;
  for (const std::string& name : wanted) {
    if (std::ranges::find(known, name) == known.end())
      throw core::UsageError(fmt::format("--variants: expected some of {}, found '{}'", fmt::join(known, ", "), name));
    if (std::ranges::count(wanted, name) > 1)
      throw core::UsageError(fmt::format("--variants: expected every variant once, found {} again", name));
  }
  return wanted;
}

std::string other_dtype(const ExecConfig& exec) {
  const pool::DType recorded = pool::choose_dtype(exec.dtype, exec.device).dtype;
  return pool::to_string(recorded == pool::DType::kBFloat16 ? pool::DType::kFloat32 : pool::DType::kBFloat16);
}

/// The counts of one variant, in order of the run's levels, then all of them.
std::vector<labels::RejudgeCount> ordered_counts(const std::vector<labels::RejudgeCount>& counts,
                                                 const std::vector<std::string>& levels) {
  std::vector<labels::RejudgeCount> ordered;
  labels::RejudgeCount all{std::string(eval::kAllLevels)};
  for (const std::string& level : levels) {
    const auto found = std::ranges::find(counts, level, &labels::RejudgeCount::level);
    if (found == counts.end()) continue;
    all += *found;
    ordered.push_back(*found);
  }
  ordered.push_back(std::move(all));
  return ordered;
}

void add_figures(std::vector<eval::LabelFigure>& figures, const std::string& variant,
                 const labels::RejudgeCount& count) {
  const auto add = [&](const char* key, std::int64_t hits, std::int64_t n) {
    if (n == 0) return;
    const eval::Interval interval = eval::wilson_interval(hits, n);
    const double share = static_cast<double>(hits) / static_cast<double>(n);
    figures.push_back({kAnalysis, variant, count.level, key, n, share, interval.low, interval.high});
  };
  add("valid_flipped", count.valid_flipped, count.valid);
  add("invalid_flipped", count.invalid_flipped, count.invalid);
  add("lost", count.lost, count.solved);
  add("gained", count.gained, count.unsolved);
}

std::string flips_csv(const std::vector<std::pair<std::string, labels::Flip>>& flips) {
  std::string text = "example,level,program,sample,recorded,now,recorded_margin,variant\n";
  for (const auto& [variant, flip] : flips)
    text += fmt::format("{},{},{},{}#{},{},{},{},{}\n", eval::csv_field(flip.example), eval::csv_field(flip.level),
                        eval::csv_field(flip.program.text()), flip.sample.temperature, flip.sample.index,
                        flip.before ? 1 : 0, flip.now ? 1 : 0, eval::csv_number(flip.margin), variant);
  return text;
}

/// The steps of reexecute(); one object a call.
class Reexecuting {
 public:
  Reexecuting(const std::filesystem::path& folder, const ReexecutionOptions& options)
      : variants_(checked_variants(options.variants)),
        split_(options.examples.split),
        run_(read_recorded_run(folder, options.examples)),
        registered_(run_.registered()),
        judged_(labels::to_judge(run_.store, run_.examples)),
        trials_(labels::trials_to_judge(judged_)) {
    core::ensure_folder(run_.controls());
    lock_.emplace(run_.controls());
  }

  Reexecution finish() {
    for (const std::string& name : variants_) run(reexecution_variant(name, run_.config.exec));
    result_.markdown = markdown();
    core::write_file(run_.controls() / "reexecution.csv", eval::labels_csv(result_.figures));
    core::write_file(run_.controls() / "reexecution-flips.csv", flips_csv(result_.flips));
    core::write_file(run_.controls() / "reexecution.md", result_.markdown);
    return std::move(result_);
  }

 private:
  void run(const ReexecutionVariant& variant) {
    Config config = run_.config;
    config.exec = variant.exec;
    const exec::Model model = exec::load_model(config.pool, config.exec.dtype, config.exec.kernels, config.exec.device);
    exec::Executor executor(model.pool, model.tokenizer, exec_options(config));
    exec::TaskEncoder encoder(model.pool->manifest(), *model.tokenizer, run_.data.task);
    const bool verdict = run_.store.settings().stop_rule == "verdict";
    search::ExecutorEvaluator executing(executor, encoder, registered_,
                                        verdict ? exec::StopRule::kVerdict : exec::StopRule::kAnswer);
    labels::LabelStore store = open_store(variant, executor);
    labels::StoreFirstEvaluator evaluator(store, executing);
    Progress progress(fmt::format("re-execution, {}", variant.name), static_cast<std::uint64_t>(trials_), "programs");
    labels::RejudgeOptions options;
    options.trials_per_batch = variant.trials_per_batch;
    options.recorder = &store;
    options.stop = &interrupt_flag();
    options.progress = [&](std::int64_t trials) { progress.add(static_cast<std::uint64_t>(trials)); };
    options.on_flip = [&](const labels::Flip& flip) { result_.flips.emplace_back(variant.name, flip); };
    const std::vector<labels::RejudgeCount> counts = labels::rejudge(judged_, evaluator, options);
    for (const labels::RejudgeCount& count : ordered_counts(counts, run_.levels))
      add_figures(result_.figures, variant.name, count);
    fingerprints_.emplace_back(variant.name, executor.fingerprint());
  }

  /// The recorded search's settings are part of its own: of another search, other trials are run again.
  labels::LabelStore open_store(const ReexecutionVariant& variant, const exec::Executor& executor) const {
    const bool test = split_ == labels::Split::kTest;
    const labels::SearchSettings& recorded = run_.store.settings();
    const std::string text = fmt::format("re-execution, {}: {} workers, {} trials a batch; recorded on {}; {}",
                                         variant.name, executor.options().workers, variant.trials_per_batch,
                                         run_.store.identity().fingerprint, recorded.text);
    labels::StoreOptions options;
    options.kind = run_.store.kind();
    options.new_search = true;
    labels::LabelStore store = labels::LabelStore::open(
        *lock_, fmt::format("reexecution-{}{}.sqlite", test ? "test-" : "", variant.name),
        store_identity(executor, run_.data.task, registered_), {text, recorded.stop_rule, recorded.root_seed}, options);
    store.add_examples(run_.store.registered_examples());
    return store;
  }

  std::string markdown() const {
    std::string text = fmt::format(
        "# Re-execution of the labels of {}\n\n{} recorded programs of {} examples, run again. In percent with the "
        "number of cases and Wilson's 95 % interval: valid_flipped, recorded as right and wrong now; invalid_flipped, "
        "recorded as wrong and right now; lost, examples that a recorded program solved and none does now; gained, "
        "those that none solved and one does now. The flips stand in reexecution-flips.csv.\n\n{}\nRecorded on: {}\n",
        run_.config.name, trials_, run_.examples.size(), eval::control_table(result_.figures, kAnalysis),
        run_.store.identity().fingerprint);
    for (const auto& [name, fingerprint] : fingerprints_) text += fmt::format("\n- {}: {}", name, fingerprint);
    return text + "\n";
  }

  std::vector<std::string> variants_;
  std::optional<labels::Split> split_;
  RecordedRun run_;
  std::vector<task::Example> registered_;
  labels::JudgedLabels judged_;
  std::int64_t trials_;
  std::optional<labels::RunLock> lock_;
  Reexecution result_;
  std::vector<std::pair<std::string, std::string>> fingerprints_;  ///< by variant
};

}  // namespace

const std::vector<std::string>& reexecution_variants() {
  static const std::vector<std::string> names{"batch", "noninvariant", "dtype", "cache"};
  return names;
}

ReexecutionVariant reexecution_variant(const std::string& name, const ExecConfig& recorded) {
  constexpr int kManyTrials = 2048;  // whole examples; an interruption waits for the batch
  constexpr int kOneExample = 1;
  ReexecutionVariant variant{name, recorded, kManyTrials};
  ExecConfig& exec = variant.exec;
  if (name == "batch" || name == "noninvariant") {
    const int workers =
        recorded.workers > 0 ? recorded.workers : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    exec.workers = workers + 1;  // another number that leaves no core idle
    exec.cache_mb = 0;
    exec.prefix_sharing = false;
    variant.trials_per_batch = kOneExample;
  }
  if (name == "noninvariant") {
    exec.batch_invariant = false;
    exec.kernels = "library";
  }
  if (name == "dtype") {
    exec.dtype = other_dtype(recorded);
    if (exec.kernels == "tiles" || exec.kernels == "pairs") exec.kernels = "auto";  // of bfloat16 alone
  }
  if (name == "cache") exec.cache_semantics = recorded.cache_semantics == "per_step" ? "shared_slot" : "per_step";
  return variant;
}

Reexecution reexecute(const std::filesystem::path& folder, const ReexecutionOptions& options) {
  return Reexecuting(folder, options).finish();
}

}  // namespace polar::experiment
