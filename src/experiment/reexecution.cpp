#include "experiment/reexecution.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <optional>
#include <utility>

#include "core/available_cores.h"
#include "core/error.h"
#include "core/file.h"
#include "core/seed.h"
#include "eval/levels.h"
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

const char* variant_text(const std::string& name) {
  if (name == "batch") return "each example alone, nothing shared between programs, one worker more";
  if (name == "noninvariant") return "as batch, by LibTorch's kernels and without batch-invariant execution";
  if (name == "dtype") return "the other of bfloat16 and float32";
  return "the other of one key/value slot a program step and one a layer";
}

std::string other_dtype(const ExecConfig& exec) {
  const pool::DType recorded = pool::choose_dtype(exec.dtype, exec.device).dtype;
  return pool::to_string(recorded == pool::DType::kBFloat16 ? pool::DType::kFloat32 : pool::DType::kBFloat16);
}

using Count = labels::RejudgeCount;

/// A share of what was counted.
struct FlipKey {
  const char* name;
  std::int64_t Count::* hits;
  std::int64_t Count::* cases;
  bool programs;  ///< the cases are programs, of which an example has many
};

constexpr FlipKey kFlipKeys[] = {
    {"valid_flipped", &Count::valid_flipped, &Count::valid, true},
    {"invalid_flipped", &Count::invalid_flipped, &Count::invalid, true},
    {"lost", &Count::lost, &Count::solved, false},
    {"gained", &Count::gained, &Count::unsolved, false},
};

/// The figures of one level.
class FlipLevel {
 public:
  FlipLevel(std::string level, std::vector<const Count*> examples, std::uint64_t seed, int resamples)
      : level_(std::move(level)),
        examples_(std::move(examples)),
        resamples_(examples_.size(), core::derive_seed(seed, "re-execution", level_), resamples) {}

  void add_figures(std::vector<eval::LabelFigure>& figures, const std::string& variant) const {
    for (const FlipKey& key : kFlipKeys) add_figure(figures, variant, key);
  }

 private:
  void add_figure(std::vector<eval::LabelFigure>& figures, const std::string& variant, const FlipKey& key) const {
    std::vector<double> hits, cases;
    std::int64_t flipped = 0, n = 0, having = 0;  // having: examples with a case
    for (const Count* one : examples_) {
      hits.push_back(static_cast<double>(one->*key.hits));
      cases.push_back(static_cast<double>(one->*key.cases));
      flipped += one->*key.hits;
      n += one->*key.cases;
      having += one->*key.cases > 0 ? 1 : 0;
    }
    if (n == 0) return;
    eval::LabelFigure& figure = figures.emplace_back();
    figure = {kAnalysis, variant, level_, key.name, n, static_cast<double>(flipped) / static_cast<double>(n)};
    std::optional<eval::Interval> interval = key.programs
                                                 ? eval::ratio_interval(resamples_.sums(hits), resamples_.sums(cases))
                                                 : std::optional(eval::wilson_interval(flipped, n));
    if (!interval && (flipped == 0 || flipped == n)) {
      interval = eval::wilson_interval(flipped == 0 ? 0 : having, having);
      figure.note = fmt::format("{} flipped; Wilson's interval of {} examples", flipped == 0 ? "none" : "all", having);
    }
    if (interval) figure.ci_low = interval->low, figure.ci_high = interval->high;
  }

  std::string level_;
  std::vector<const Count*> examples_;
  eval::Resamples resamples_;
};

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
        choice_(options.examples),
        run_(read_recorded_run(folder, options.examples)),
        registered_(run_.registered()),
        judged_(labels::to_judge(run_.store, run_.examples)),
        trials_(labels::trials_to_judge(judged_)) {
    core::ensure_folder(run_.controls());
    lock_.emplace(run_.controls());
  }

  Reexecution finish() {
    report().name = stem();
    report().title = title();
    report().text = text();
    report().remarks = {"recorded on: " + run_.store.identity().fingerprint};
    for (const std::string& level : eval::levels_of(run_.examples, &labels::StoredExample::level))
      report().figures.push_back(eval::examples_figure(level, examples_of(level)));
    for (const std::string& name : variants_) run(reexecution_variant(name, run_.config.exec));
    core::write_file(run_.controls() / (stem() + "-flips.csv"), flips_csv(result_.flips));
    eval::write_control(run_.controls(), report());
    return std::move(result_);
  }

 private:
  eval::ControlReport& report() { return result_.report; }

  std::size_t examples_of(const std::string& level) const {
    return static_cast<std::size_t>(std::ranges::count_if(run_.examples, [&](const labels::StoredExample& example) {
      return example.level == level || level == eval::kAllLevels;
    }));
  }

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
    options.store = &store;
    options.stop = &interrupt_flag();
    options.progress = [&](std::int64_t trials) { progress.add(static_cast<std::uint64_t>(trials)); };
    options.on_flip = [&](const labels::Flip& flip) { result_.flips.emplace_back(variant.name, flip); };
    std::vector<Count> counts;  // by example
    options.on_example = [&](const Count& count) { counts.push_back(count); };
    labels::rejudge(judged_, evaluator, options);
    std::ranges::move(reexecution_figures(variant.name, counts, run_.config.seed, run_.config.eval.bootstrap),
                      std::back_inserter(report().figures));
    report().remarks.push_back(
        fmt::format("{}: {}; {}", variant.name, variant_text(variant.name), executor.fingerprint()));
  }

  /// The recorded search's settings are part of its own: of another search, other trials are run again.
  labels::LabelStore open_store(const ReexecutionVariant& variant, const exec::Executor& executor) const {
    const labels::SearchSettings& recorded = run_.store.settings();
    const std::string text = fmt::format("re-execution, {}: {} workers, {} trials a batch; recorded on {}; {}",
                                         variant.name, executor.options().workers, variant.trials_per_batch,
                                         run_.store.identity().fingerprint, recorded.text);
    labels::StoreOptions options;
    options.kind = run_.store.kind();
    options.new_search = true;
    options.message = [](const std::string& message) { std::cerr << message << '\n'; };
    labels::LabelStore store = labels::LabelStore::open(*lock_, fmt::format("{}-{}.sqlite", stem(), variant.name),
                                                        store_identity(executor, run_.data.task, registered_),
                                                        {text, recorded.stop_rule, recorded.root_seed}, options);
    store.add_examples(run_.store.registered_examples());
    return store;
  }

  /// Of the files: those of test examples stand beside the others.
  std::string stem() const { return choice_.split == labels::Split::kTest ? "reexecution-test" : "reexecution"; }

  std::string title() const {
    const std::string split = choice_.split ? std::string(to_string(*choice_.split)) : "train and valid";
    const std::string examples = choice_.examples_per_level == 0
                                     ? "all examples"
                                     : fmt::format("{} examples a level", choice_.examples_per_level);
    return fmt::format("Re-execution of the labels of {}: {}, {}, variants {}", run_.config.name, split, examples,
                       fmt::join(variants_, ", "));
  }

  std::string text() const {
    return fmt::format(
        "{} recorded programs of {} examples, run again. valid_flipped: recorded as right and wrong now; "
        "invalid_flipped: recorded as wrong and right now; lost: examples that a recorded program solved and none does "
        "now; gained: those that none solved and one does now. Intervals of flips are by bootstrap over examples, as "
        "programs of one example resemble each other; where none flipped, or all, they are Wilson's of the number of "
        "examples. Those of lost and gained are Wilson's. The flips stand in {}-flips.csv.",
        trials_, run_.examples.size(), stem());
  }

  std::vector<std::string> variants_;
  RecordedChoice choice_;
  RecordedRun run_;
  std::vector<task::Example> registered_;
  labels::JudgedLabels judged_;
  std::int64_t trials_;
  std::optional<labels::RunLock> lock_;
  Reexecution result_;
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
    const int workers = recorded.workers > 0 ? recorded.workers : core::available_cores();
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

std::vector<eval::LabelFigure> reexecution_figures(const std::string& variant,
                                                   std::span<const labels::RejudgeCount> examples, std::uint64_t seed,
                                                   int resamples) {
  std::vector<eval::LabelFigure> figures;
  if (examples.empty()) return figures;
  for (const std::string& level : eval::levels_of(examples, &Count::level)) {
    std::vector<const Count*> members;
    for (const Count& one : examples)
      if (one.level == level || level == eval::kAllLevels) members.push_back(&one);
    FlipLevel(level, std::move(members), seed, resamples).add_figures(figures, variant);
  }
  return figures;
}

Reexecution reexecute(const std::filesystem::path& folder, const ReexecutionOptions& options) {
  return Reexecuting(folder, options).finish();
}

}  // namespace polar::experiment
