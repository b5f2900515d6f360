// polar bench trials: a trials file, run as bench/reference_hf.py runs it, so that both can be compared in one run.

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/bench.h"
#include "cli/bench_reference.h"
#include "cli/bench_runs.h"
#include "cli/bench_variants.h"
#include "cli/exec_flags.h"
#include "core/error.h"
#include "exec/model.h"

namespace polar::cli {
namespace {

using nlohmann::json;

constexpr int kPublishedTokens = 50;  ///< new tokens of the published search code's calls

struct TrialsFlags {
  std::string pool, trials, grader = "numeric:first";
  int max_new_tokens = 50;
  int rounds = 1;
  double seconds = 0;
  std::vector<std::string> compare;
  int published_trials = 40;
  int batched_programs = 0;
  VariantFlags variants;
  ReferenceFlags reference;
  ExecFlags exec;
};

struct TrialsFile {
  std::vector<task::Example> examples;  ///< distinct (prompt, answer) pairs
  std::vector<std::size_t> example_of;  ///< by trial
  std::vector<core::Program> programs;  ///< by trial
  std::vector<std::string> lines;       ///< as read

  std::size_t count() const { return programs.size(); }
};

core::Program program_of(const json& list) {
  if (!list.is_array()) throw core::Error(fmt::format("the program {}", list.dump()));
  std::vector<core::Program::Layer> layers;
  for (const json& layer : list) {
    if (!layer.is_number_unsigned() || layer.get<std::uint64_t>() > std::numeric_limits<core::Program::Layer>::max())
      throw core::Error(fmt::format("the layer {}", layer.dump()));
    layers.push_back(layer.get<core::Program::Layer>());
  }
  if (layers.empty()) throw core::Error("a program without layers");
  return core::Program(std::move(layers));
}

TrialsFile read_trials(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw core::Error(fmt::format("{}: expected a trials file, found none that can be read", path));
  TrialsFile trials;
  std::map<std::pair<std::string, std::string>, std::size_t> known;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    try {
      const json row = json::parse(line);
      const std::pair key(row.at("prompt").get<std::string>(), row.at("answer").get<std::string>());
      const auto [found, added] = known.try_emplace(key, trials.examples.size());
      if (added) trials.examples.push_back({fmt::format("trial-{}", number), key.first, key.second, {}, -1, "", ""});
      trials.example_of.push_back(found->second);
      trials.programs.push_back(program_of(row.at("program")));
      trials.lines.push_back(line);
    } catch (const std::exception& error) {
      throw core::Error(
          fmt::format("{}:{}: expected {{\"prompt\": text, \"answer\": text, \"program\": [layer, …]}}, found: {}",
                      path, number, error.what()));
    }
  }
  if (trials.programs.empty()) throw core::Error(fmt::format("{}: expected at least one trial, found none", path));
  return trials;
}

/// The trials as the executor takes them.
struct Encoded {
  std::vector<exec::EncodedExample> examples;
  std::vector<text::Token> shared;
};

class TrialsBench {
 public:
  explicit TrialsBench(const TrialsFlags& flags)
      : flags_(flags),
        trials_(read_trials(flags.trials)),
        executors_(flags.exec.load(flags.pool), flags.pool),
        model_(executors_.model()) {
    task_.name = "trials";
    task_.grader = flags.grader;
    task_.stop = {};
    task_.max_new_tokens = flags.max_new_tokens;
    task::check(task_);
  }

  void run() {
    const std::vector<ExecVariant> exec_variants =
        flags_.variants.variants(flags_.exec.options(), model_.pool->kernels());
    std::vector<BenchVariant> variants;
    for (const ExecVariant& variant : exec_variants) variants.push_back(own(variant));
    for (const std::string& name : flags_.compare) variants.push_back(reference(name));
    BenchTable table{"rollouts", flags_.compare.empty() ? "" : "hf " + flags_.compare.front(), {}};
    std::vector<BenchSeries> series = alternate(variants, flags_.rounds, *model_.pool, executors_[0].options(), table);
    share_limit(series, exec_variants);
    for (const BenchSeries& one : series) {
      json line = to_json(one, table);
      if (const auto own = std::ranges::find(exec_variants, one.name, &ExecVariant::name); own != exec_variants.end())
        line["fingerprint"] = executors_[static_cast<std::size_t>(own - exec_variants.begin())].fingerprint();
      std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
    }
    std::cerr << table_text(series, table);
    for (const BenchSeries& one : series) say_agreement(series.front(), one);
    require_same_verdicts(series, exec_variants);
  }

 private:
  Encoded encode() const {
    exec::TaskEncoder encoder(model_.pool->manifest(), *model_.tokenizer, task_);
    Encoded encoded;
    for (const task::Example& example : trials_.examples) encoded.examples.push_back(encoder.encode(example, false));
    encoded.shared = exec::shared_prompt(encoded.examples);
    return encoded;
  }

  /// Tokenises, executes, decodes and grades `count` trials; what the reference times too.
  BenchRun answer(exec::Executor& executor, exec::StopRule stop, std::size_t count) {
    encoded_ = encode();
    const auto grader = task::make_grader(flags_.grader);
    executor.set_shared_prompt(encoded_.shared);
    const exec::GenerationRules rules{grader.get(), {}, flags_.max_new_tokens, stop};
    std::vector<exec::Request> requests;
    for (std::size_t i = 0; i < count; ++i) {
      requests.push_back({&encoded_.examples[trials_.example_of[i]], trials_.programs[i], 0, 0, &rules, false});
    }
    BenchRun run;
    run.units = static_cast<double>(count);
    for (exec::Answer& answer : executor.answer(requests)) {
      run.correct.push_back(answer.correct ? 1 : 0);
      run.texts.push_back(std::move(answer.text));
    }
    run.work = executor.stats();
    return run;
  }

  BenchVariant own(const ExecVariant& variant) {
    exec::Executor& executor = executors_.add(variant);
    const auto warm_up = [this, &executor, stop = variant.stop] {
      answer(executor, stop, std::min<std::size_t>(64, trials_.count()));
    };
    const auto run = [this, &executor, stop = variant.stop] {
      BenchRun one = repeat_cold(flags_.seconds, executor, [&] { return answer(executor, stop, trials_.count()); });
      one.distinct_flop = distinct_flop(one.work);
      return one;
    };
    return {variant.name, warm_up, run};
  }

  /// Rows that no way of running the trials can avoid: prompts under distinct prefixes, and the tokens that were
  /// written.
  double distinct_flop(const exec::ExecStats& work) const {
    const auto shared = static_cast<int>(encoded_.shared.size());
    DistinctRows distinct;
    for (std::size_t i = 0; i < trials_.count(); ++i) {
      const exec::EncodedExample& example = encoded_.examples[trials_.example_of[i]];
      distinct.add("shared", trials_.programs[i], shared);
      distinct.add(example.id, trials_.programs[i], static_cast<int>(example.prompt.size()) - shared);
    }
    return cli::distinct_flop(distinct.rows(), work, *model_.pool);
  }

  /// "batched": as a careful user would run the trials. "published": one prompt a call, 50 new tokens. Both run a
  /// sample where the flags say so: neither is faster for having more to do.
  BenchVariant reference(const std::string& name) {
    const bool published = name == "published";
    if (published) {
      write(every(trials_.count(), flags_.published_trials), published_file_);
    } else {
      batched_ = batched_trials();
      write(batched_, batched_file_);
    }
    const ReferenceRun run{.trials = (published ? published_file_ : batched_file_).path().string(),
                           .mode = published ? "single" : "batched",
                           .dtype = pool::to_string(model_.pool->dtype()),
                           .device = model_.pool->device(),
                           .max_new_tokens = published ? kPublishedTokens : flags_.max_new_tokens,
                           .threads = executors_[0].options().workers,
                           .seconds = flags_.seconds};
    return {"hf " + name, {}, [this, run, published] {
              BenchRun result = run_reference(flags_.reference, run);
              if (!published) grade(result);
              return result;
            }};
  }

  void grade(BenchRun& run) const {
    const auto grader = task::make_grader(flags_.grader);
    for (std::size_t i = 0; i < run.texts.size(); ++i) {
      const std::string& reference = trials_.examples[trials_.example_of[batched_[i]]].answer;
      run.correct.push_back(grader->judge(run.texts[i], reference, true) == task::Verdict::kCorrect ? 1 : 0);
    }
  }

  /// `wanted` of 0 … count − 1 (or a few more), evenly spread.
  static std::vector<std::size_t> every(std::size_t count, int wanted) {
    const std::size_t step = std::max<std::size_t>(1, count / static_cast<std::size_t>(wanted));
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < count; i += step) chosen.push_back(i);
    return chosen;
  }

  /// All trials of some programs, or all trials.
  std::vector<std::size_t> batched_trials() const {
    if (flags_.batched_programs == 0) return every(trials_.count(), static_cast<int>(trials_.count()));
    std::vector<core::Program> programs;
    for (const core::Program& program : trials_.programs) {
      if (std::ranges::find(programs, program) == programs.end()) programs.push_back(program);
    }
    std::set<core::Program> chosen;
    for (std::size_t index : every(programs.size(), flags_.batched_programs)) chosen.insert(programs[index]);
    std::vector<std::size_t> trials;
    for (std::size_t i = 0; i < trials_.count(); ++i) {
      if (chosen.contains(trials_.programs[i])) trials.push_back(i);
    }
    return trials;
  }

  void write(const std::vector<std::size_t>& which, const TemporaryFile& to) const {
    std::ofstream file(to.path());
    for (std::size_t i : which) file << trials_.lines[i] << '\n';
    if (!file.flush())
      throw core::Error(fmt::format("{}: expected to write a sample of the trials", to.path().string()));
  }

  void say_agreement(const BenchSeries& first, const BenchSeries& other) const {
    const std::vector<int>&one = first.median().correct, &two = other.median().correct;
    if (&first == &other || two.empty()) return;
    const bool sampled = two.size() < one.size();
    std::size_t equal = 0;
    for (std::size_t i = 0; i < two.size(); ++i) equal += one[sampled ? batched_[i] : i] == two[i] ? 1 : 0;
    std::cerr << fmt::format("verdicts of {}: {:.2f} % of {} as {}'s\n", other.name,
                             100.0 * static_cast<double>(equal) / static_cast<double>(two.size()), two.size(),
                             first.name);
  }

  const TrialsFlags& flags_;
  TrialsFile trials_;
  TemporaryFile published_file_{"published"}, batched_file_{"batched"};
  std::vector<std::size_t> batched_;  ///< trials of the second
  VariantExecutors executors_;
  const exec::Model& model_;  ///< the default's
  task::TaskSpec task_;
  Encoded encoded_;  ///< by the last run
};

}  // namespace

void add_bench_trials(CLI::App& bench) {
  auto flags = std::make_shared<TrialsFlags>();
  CLI::App* trials = bench.add_subcommand(
      "trials", "Run (prompt, answer, program) trials and print rollouts/s and verdicts: one JSON line a variant");
  trials->add_option("--pool", flags->pool, "Pool folder")->required();
  trials
      ->add_option("--trials", flags->trials,
                   "JSONL with prompt, answer and program, as bench/reference_hf.py reads it")
      ->required();
  trials->add_option("--max-new-tokens", flags->max_new_tokens, "Length limit of an answer")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  trials
      ->add_option("--grader", flags->grader,
                   "exact, numeric:first, numeric:last, numeric:boxed-first or numeric:boxed-last")
      ->capture_default_str();
  trials->add_option("--rounds", flags->rounds, "Times each variant runs, in turn with the others")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  trials->add_option("--seconds", flags->seconds, "Repeat the trials within a round for at least this long")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  trials
      ->add_option(
          "--compare", flags->compare,
          "Run transformers in turn: batched (all prompts of a program in one call) or published (one prompt a "
          "call, 50 new tokens, a sample of the trials)")
      ->check(CLI::IsMember({"batched", "published"}));
  trials->add_option("--published-trials", flags->published_trials, "Size of that sample")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  trials
      ->add_option("--batched-programs", flags->batched_programs,
                   "Of the batched way: only the trials of about so many programs, spread over the file; 0 = all")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  flags->variants.declare(*trials);
  flags->reference.declare(*trials);
  flags->exec.declare(*trials);
  trials->footer(
      "Example: polar bench trials --pool pools/smollm2-135m --trials trials.jsonl --max-new-tokens 6 --rounds 3 "
      "--seconds 10 --compare batched --ablation");
  trials->callback([flags] { TrialsBench(*flags).run(); });
}

}  // namespace polar::cli
