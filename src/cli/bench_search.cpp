// polar bench search: a real search, as `polar search` runs it, without a store.

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <memory>

#include "cli/bench.h"
#include "cli/bench_runs.h"
#include "cli/bench_variants.h"
#include "core/error.h"
#include "exec/model.h"
#include "experiment/dataset.h"
#include "experiment/options.h"
#include "experiment/schema.h"
#include "search/executor_evaluator.h"
#include "search/run_searches.h"

namespace polar::cli {
namespace {

struct SearchFlags {
  std::string config;
  std::vector<std::string> overrides;
  int examples = 100;
  int rounds = 1;
  int memory_mb = 0;
  VariantFlags variants;
};

/// Notes what is evaluated, for the count of distinct rows.
class NotingEvaluator final : public search::Evaluator {
 public:
  NotingEvaluator(search::Evaluator& inner, std::vector<search::Trial>& trials) : inner_(inner), trials_(trials) {}
  std::vector<search::Outcome> evaluate(std::span<const search::Trial> trials) override {
    trials_.insert(trials_.end(), trials.begin(), trials.end());
    return inner_.evaluate(trials);
  }

 private:
  search::Evaluator& inner_;
  std::vector<search::Trial>& trials_;
};

class SearchBench {
 public:
  explicit SearchBench(const SearchFlags& flags)
      : flags_(flags),
        config_(experiment::load_config(flags.config, flags.overrides)),
        executors_(exec::load_model(config_.pool, config_.exec.dtype, config_.exec.kernels, config_.exec.device),
                   config_.pool),
        model_(executors_.model()),
        data_(experiment::make_data(config_)),
        plan_(experiment::search_plan(config_, model_.pool->manifest().depth, config_.search.rollouts)),
        space_(plan_.space),
        examples_(data_.dataset.train) {
    const auto wanted = static_cast<std::size_t>(flags.examples);
    if (examples_.size() < wanted) {
      throw core::UsageError(fmt::format("--examples: expected at most {}, the train split of {}, found {}",
                                         examples_.size(), flags.config, wanted));
    }
    // Every n-th, so that every level is there.
    for (std::size_t i = 0; i < wanted; ++i) examples_[i] = data_.dataset.train[i * examples_.size() / wanted];
    examples_.resize(wanted);
  }

  void run() {
    if (const std::string& device = model_.pool->device(); flags_.memory_mb > 0 && device != "cpu") {
      throw core::UsageError(fmt::format("--memory-mb: expected --device cpu, where it is measured, found {}", device));
    }
    std::vector<BenchVariant> variants;
    const std::vector<ExecVariant> exec_variants =
        flags_.variants.variants(experiment::exec_options(config_), model_.pool->kernels());
    if (flags_.memory_mb > 0 && exec_variants.size() > 1) {
      throw core::UsageError(
          "--memory-mb: expected one variant, since freed memory of the others counts in a process, found several");
    }
    for (const ExecVariant& variant : exec_variants) variants.push_back(own(variant));
    BenchTable table{"rollouts", ""};
    std::vector<BenchSeries> series = alternate(variants, flags_.rounds, *model_.pool, executors_[0].options(), table);
    share_limit(series, exec_variants);
    for (const BenchSeries& one : series) std::cout << to_json(one, table).dump() << '\n';
    std::cerr << fmt::format("{} examples, {} rollouts each at most, {} trees in step\n", examples_.size(),
                             config_.search.rollouts, config_.search.trees_in_step)
              << table_text(series, table);
    // They steer the search: others would change the trials after them too.
    require_same_verdicts(series, exec_variants);
    if (series.size() == 1) check_memory(series.front());
  }

 private:
  /// What the loaded matrices take: those of all layers, the embedding and the output head.
  double weight_bytes() const {
    const pool::Manifest& manifest = model_.pool->manifest();
    const double parameters = manifest.depth * pool::row_flop(model_.pool->layer_matrices()) / 2 +
                              2.0 * manifest.vocabulary * manifest.hidden;
    return parameters * (model_.pool->dtype() == pool::DType::kBFloat16 ? 2 : 4);
  }

  void check_memory(const BenchSeries& series) const {
    const double peak = std::ranges::max(series.runs, {}, &BenchRun::peak_rss_bytes).peak_rss_bytes;
    if (flags_.memory_mb > 0 && peak == 0)
      throw core::Error("--memory-mb: expected VmHWM in /proc/self/status, found none: this system does not say it");
    const double beyond_mb = (peak - weight_bytes()) / kMebi;
    std::cerr << fmt::format("{}: {:.0f} MB beyond the weights' {:.0f} MB at its peak\n", series.name, beyond_mb,
                             weight_bytes() / kMebi);
    if (flags_.memory_mb > 0 && beyond_mb > flags_.memory_mb) {
      throw core::Error(fmt::format("--memory-mb: expected at most {} MB beyond the weights, found {:.0f} in {}",
                                    flags_.memory_mb, beyond_mb, series.name));
    }
  }

  BenchRun search(exec::Executor& executor, exec::StopRule stop, std::span<const task::Example> examples) {
    exec::TaskEncoder encoder(model_.pool->manifest(), *model_.tokenizer, data_.task);
    search::ExecutorEvaluator executing(executor, encoder, examples, stop);
    std::vector<search::Trial> trials;
    NotingEvaluator evaluator(executing, trials);
    std::vector<task::ExampleId> ids;
    for (const task::Example& example : examples) ids.push_back(example.id);
    search::SearchRun run;
    run.root_seed = config_.seed;
    run.trees_in_step = config_.search.trees_in_step;
    BenchRun result;
    for (const search::SearchResult& found : search::run_searches(ids, space_, plan_.options, evaluator, run)) {
      for (const search::RecordedTrial& trial : found.trials) result.correct.push_back(trial.outcome.correct ? 1 : 0);
    }
    result.units = static_cast<double>(trials.size());
    result.work = executor.stats();
    note_rows(executing, examples);
    trials_ = std::move(trials);
    return result;
  }

  BenchVariant own(const ExecVariant& variant) {
    exec::Executor& executor = executors_.add(variant);
    const auto warm_up = [this, &executor, stop = variant.stop] {
      search(executor, stop, std::span(examples_).first(std::min<std::size_t>(4, examples_.size())));
    };
    const auto run = [this, &executor, stop = variant.stop] {
      BenchRun one = repeat_cold(0, executor, [&] { return search(executor, stop, examples_); });
      one.distinct_flop = distinct_flop(one.work);
      return one;
    };
    return {variant.name, warm_up, run};
  }

  void note_rows(const search::ExecutorEvaluator& evaluator, std::span<const task::Example> examples) {
    shared_rows_ = static_cast<int>(evaluator.shared_tokens());
    for (const task::Example& example : examples) {
      const exec::EncodedExample& encoded = evaluator.encoded(example.id);
      rows_[example.id] = static_cast<int>(encoded.prompt.size() + encoded.draft.tokens.size()) - shared_rows_;
    }
  }

  /// Prompts and scored drafts under distinct program prefixes, the tokens written, and the heads read.
  double distinct_flop(const exec::ExecStats& work) const {
    DistinctRows distinct;
    for (const search::Trial& trial : trials_) {
      distinct.add("", trial.program, shared_rows_);
      distinct.add("example " + trial.example, trial.program, rows_.at(trial.example));
    }
    return cli::distinct_flop(distinct.rows(), work, *model_.pool);
  }

  const SearchFlags& flags_;
  experiment::Config config_;
  VariantExecutors executors_;
  const exec::Model& model_;  ///< the default's
  experiment::RunData data_;
  search::SearchPlan plan_;
  search::SearchSpace space_;
  std::vector<task::Example> examples_;
  std::vector<search::Trial> trials_;    ///< of the last run
  std::map<task::ExampleId, int> rows_;  ///< of its prompts and drafts, less those that all share
  int shared_rows_ = 0;
};

}  // namespace

void add_bench_search(CLI::App& bench) {
  auto flags = std::make_shared<SearchFlags>();
  CLI::App* search = bench.add_subcommand(
      "search",
      "Search programs for examples of a configuration's train split, storing nothing: one JSON line a variant");
  search->add_option("config", flags->config, "Configuration file (YAML); keys: polar help config")->required();
  search->add_option("--set", flags->overrides, "Override a key, as in --set search.rollouts=200; may be given again");
  search->add_option("--examples", flags->examples, "Examples to search, spread over the train split")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000000));
  search->add_option("--rounds", flags->rounds, "Times each variant runs, in turn with the others")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  search
      ->add_option("--memory-mb", flags->memory_mb,
                   "Fail when the process holds more than this beyond the weights; one variant only; 0 = no limit")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 30));
  flags->variants.declare(*search);
  search->footer("Example: polar bench search configs/ladder.yaml --set search.rollouts=200 --examples 100");
  search->callback([flags] { SearchBench(*flags).run(); });
}

}  // namespace polar::cli
