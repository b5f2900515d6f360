// polar bench generate: tokens per second of answers under programs, one prompt at a time and many at once, and what a
// policy's choice costs.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/bench.h"
#include "cli/bench_reference.h"
#include "cli/bench_runs.h"
#include "cli/exec_flags.h"
#include "core/error.h"
#include "core/milliseconds_since.h"
#include "exec/model.h"
#include "policy/trained_policy.h"

namespace polar::cli {
namespace {

struct GenerateBenchFlags {
  std::string pool, prompt = "Once upon a time, in a small village by the sea, there lived an old man who";
  std::vector<std::string> programs, policies;
  int max_new_tokens = 50, prompts = 32, rounds = 3;
  double seconds = 5;
  bool compare = false;
  ReferenceFlags reference;
  ExecFlags exec;
};

constexpr int kChoices = 100;  ///< timed of each policy

/// Answers of exactly max_new_tokens tokens: a prompt that ends early is refused, since its rate would say little.
class GenerateBench {
 public:
  explicit GenerateBench(const GenerateBenchFlags& flags)
      : flags_(flags),
        model_(flags.exec.load(flags.pool)),
        executor_(model_.pool, model_.tokenizer, flags.exec.options()) {
    task_.name = "generate";
    task_.stop = {};
    task_.max_new_tokens = flags.max_new_tokens;
    encoder_.emplace(model_.pool->manifest(), *model_.tokenizer, task_);
    const int depth = model_.pool->manifest().depth;
    programs_ = {core::Program::identity(depth)};
    for (const std::string& notation : flags.programs) programs_.push_back(core::Program::parse(notation, depth));
  }

  void run() {
    std::vector<BenchVariant> variants;
    for (const core::Program& program : programs_)
      add(variants, "program " + program.text(), {flags_.prompt}, {program});
    std::vector<std::string> prompts;
    std::vector<core::Program> programs;
    for (int i = 0; i < flags_.prompts; ++i) {
      prompts.push_back(fmt::format("Story {}. {}", i + 1, flags_.prompt));
      programs.push_back(programs_[static_cast<std::size_t>(i) % programs_.size()]);
    }
    add(variants, fmt::format("{} prompts at once, programs in turn", flags_.prompts), prompts, programs);
    for (const std::string& folder : flags_.policies) variants.push_back(chosen(folder));
    BenchTable table{"tokens", "", {}};
    const std::vector<BenchSeries> series =
        alternate(variants, flags_.rounds, *model_.pool, executor_.options(), table);
    for (const BenchSeries& one : series) std::cout << to_json(one, table).dump() << '\n';
    std::cerr << fmt::format("{} new tokens, {} threads, {}\n", flags_.max_new_tokens, executor_.options().workers,
                             pool::to_string(model_.pool->dtype()))
              << table_text(series, table);
    for (const BenchSeries& one : series) say_texts(series, one);
    const double answer_ms = 1000 * flags_.max_new_tokens / series.front().median().rate();
    for (std::size_t i = 0; i < policies_.size(); ++i) say_choice(flags_.policies[i], policies_[i], answer_ms);
  }

 private:
  using Prompts = std::vector<std::string>;
  using Programs = std::vector<core::Program>;

  /// A variant, and with --compare transformers' one of the same prompts and programs.
  void add(std::vector<BenchVariant>& variants, const std::string& name, const Prompts& prompts,
           const Programs& programs) {
    variants.push_back(measured(name, [this, prompts, programs] { return answer(prompts, programs); }));
    if (!flags_.compare) return;
    variants.back().compared_with = "hf " + name;
    variants.push_back(reference("hf " + name, prompts, programs));
  }

  exec::EncodedExample encoded(const std::string& prompt, std::size_t number) const {
    return encoder_->encode_input(fmt::format("prompt {}", number + 1), prompt);
  }

  BenchRun answer(const Prompts& prompts, const Programs& programs) {
    std::vector<exec::EncodedExample> inputs;
    for (std::size_t i = 0; i < programs.size(); ++i) inputs.push_back(encoded(prompts[i], i));
    const exec::GenerationRules rules{nullptr, {}, flags_.max_new_tokens, exec::StopRule::kFull};
    std::vector<exec::Request> requests;
    for (std::size_t i = 0; i < programs.size(); ++i)
      requests.push_back({&inputs[i], programs[i], 0, 0, &rules, false});
    BenchRun run;
    for (exec::Answer& answer : executor_.answer(requests)) {
      if (static_cast<int>(answer.tokens.size()) < flags_.max_new_tokens) {
        throw core::Error(fmt::format("--prompt: expected one whose answer has {} tokens, found an answer of {}",
                                      flags_.max_new_tokens, answer.tokens.size()));
      }
      run.units += static_cast<double>(answer.tokens.size());
      run.texts.push_back(std::move(answer.text));
    }
    run.work = executor_.stats();
    return run;
  }

  BenchVariant measured(const std::string& name, const std::function<BenchRun()>& once) {
    return {name, once, [=, this] { return repeat_cold(flags_.seconds, executor_, once); }};
  }

  /// A trained policy reads its features, chooses, and the identity answers, whatever the choice.
  BenchVariant chosen(const std::string& folder) {
    policies_.push_back(policy::TrainedPolicy::load(folder, model_.pool->manifest().weights_digest));
    const std::size_t index = policies_.size() - 1;
    BenchVariant variant = measured("identity, after the choice of " + folder, [this, index] {
      const exec::EncodedExample prompt = encoded(flags_.prompt, 0);
      policies_[index].choose(executor_, std::span(&prompt, 1));
      return answer({flags_.prompt}, {programs_.front()});
    });
    variant.compared_with = "program " + programs_.front().text();
    return variant;
  }

  static bool reading_is_shared(const std::string& features) {
    return features == "states" || features == "embeddings";
  }

  /// Medians over many choices, the cache empty before each: running the layers whose states are read, which the answer
  /// finds again, and the choice once they are there, which is the price, by its parts: reading the states, the network
  /// or scorer, and the beam or ranking, which is the rest. What an external encoder takes is part of both.
  void say_choice(const std::string& folder, policy::TrainedPolicy& trained, double answer_ms) {
    const exec::EncodedExample prompt = encoded(flags_.prompt, 0);
    const std::span input(&prompt, 1);
    std::vector<double> running, reading, scoring, ranking, choosing;
    const auto timed = [](auto&& part) {
      const auto start = std::chrono::steady_clock::now();
      part();
      return core::milliseconds_since(start);
    };
    for (int i = 0; i < kChoices; ++i) {
      executor_.clear_cache();
      std::vector<predict::TokenFeatures> features;
      running.push_back(timed([&] { trained.features(executor_, input); }));
      reading.push_back(timed([&] { features = trained.features(executor_, input); }));
      if (!features.empty()) scoring.push_back(timed([&] { trained.score(features.front()); }));
      choosing.push_back(timed([&] { trained.choose(executor_, input); }));
      if (!features.empty()) ranking.push_back(std::max(0.0, choosing.back() - reading.back() - scoring.back()));
    }
    const double states_ms = median(running), choice_ms = median(choosing);
    nlohmann::json line{{"policy", folder},
                        {"states_ms", states_ms},
                        {"choice_ms", choice_ms},
                        {"answer_ms", answer_ms},
                        {"share", choice_ms / answer_ms}};
    std::string parts;  // routers decide as they run the prompt, and have none
    if (!scoring.empty()) {
      const double read_ms = median(reading), score_ms = median(scoring), rank_ms = median(ranking);
      line.update({{"read_ms", read_ms}, {"score_ms", score_ms}, {"rank_ms", rank_ms}});
      parts = fmt::format(" (reading {:.3f}, network or scorer {:.3f}, beam or ranking {:.3f})", read_ms, score_ms,
                          rank_ms);
    }
    std::cout << line.dump() << '\n';
    const std::string& kind = trained.origin().features;
    const std::string read = reading_is_shared(kind)
                                 ? fmt::format("states {:.2f} ms, which the answer finds again; ", states_ms)
                                 : std::string();
    std::cerr << fmt::format("{}: {}choice {:.3f} ms{}, {:.2f} % of an answer of {} tokens ({:.1f} ms)\n", folder, read,
                             choice_ms, parts, 100 * choice_ms / answer_ms, flags_.max_new_tokens, answer_ms);
  }

  /// One call of `generate` a prompt; of many prompts one for each program.
  BenchVariant reference(const std::string& name, const Prompts& prompts, const Programs& programs) {
    return {name, {}, [=, this] {
              const TemporaryFile trials("generate");
              std::ofstream file(trials.path());
              for (std::size_t i = 0; i < prompts.size(); ++i) {
                const auto layers = programs[i % programs.size()].layers();
                file << nlohmann::json{{"prompt", prompts[i]},
                                       {"answer", ""},
                                       {"program", std::vector<int>(layers.begin(), layers.end())}}
                            .dump()
                     << '\n';
              }
              file.close();
              BenchRun run = run_reference(flags_.reference, {.trials = trials.path().string(),
                                                              .mode = prompts.size() > 1 ? "batched" : "single",
                                                              .dtype = pool::to_string(model_.pool->dtype()),
                                                              .device = model_.pool->device(),
                                                              .max_new_tokens = flags_.max_new_tokens,
                                                              .threads = executor_.options().workers,
                                                              .seconds = flags_.seconds});
              run.units *= flags_.max_new_tokens;
              return run;
            }};
  }

  /// How many of transformers' texts equal ours: an equal one has as many tokens.
  static void say_texts(std::span<const BenchSeries> series, const BenchSeries& one) {
    const auto other = std::ranges::find(series, one.compared_with, &BenchSeries::name);
    if (other == series.end()) return;
    const std::vector<std::string>&ours = one.median().texts, &theirs = other->median().texts;
    std::size_t equal = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) equal += ours[i] == theirs[i] ? 1 : 0;
    std::cerr << fmt::format("{}: {} of {} texts equal {}'s\n", one.name, equal, ours.size(), other->name);
  }

  const GenerateBenchFlags& flags_;
  exec::Model model_;
  exec::Executor executor_;
  task::TaskSpec task_;
  std::optional<exec::TaskEncoder> encoder_;  ///< of the task
  std::vector<core::Program> programs_;
  std::vector<policy::TrainedPolicy> policies_;
};

}  // namespace

void add_bench_generate(CLI::App& bench) {
  auto flags = std::make_shared<GenerateBenchFlags>();
  CLI::App* generate = bench.add_subcommand(
      "generate",
      "Answer a prompt under programs, alone and many at once, and print tokens/s: one JSON line a variant");
  generate->add_option("--pool", flags->pool, "Pool folder")->required();
  generate->add_option("--prompt", flags->prompt, "Text to continue; the model must not end its answer early");
  generate->add_option("--program", flags->programs, "A program beside the identity; may be given again");
  generate->add_option(
      "--policy", flags->policies,
      "Folder of a trained policy whose choice is made before the identity answers, of a cascade its first; may be "
      "given again. Routers choose while they run the prompt, which this counts as the price");
  generate->add_option("--max-new-tokens", flags->max_new_tokens, "Length of an answer")
      ->capture_default_str()
      ->check(CLI::Range(2, 4096));
  generate->add_option("--prompts", flags->prompts, "Prompts answered at once in one of the variants")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  generate->add_option("--rounds", flags->rounds, "Times each variant runs, in turn with the others")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  generate->add_option("--seconds", flags->seconds, "Repeat within a round for at least this long")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  generate->add_flag("--compare", flags->compare, "Run transformers in turn on the same prompts and programs");
  flags->reference.declare(*generate);
  flags->exec.declare(*generate);
  generate->footer("Example: polar bench generate --pool pools/smollm2-135m --program 0-14,12-29 --compare");
  generate->callback([flags] { GenerateBench(*flags).run(); });
}

}  // namespace polar::cli
