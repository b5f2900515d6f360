// polar bench generate: tokens per second of answers under programs, one prompt at a time and many at once.

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <memory>

#include "cli/bench.h"
#include "cli/bench_reference.h"
#include "cli/bench_runs.h"
#include "cli/exec_flags.h"
#include "core/error.h"
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

exec::ExecOptions without_sharing(exec::ExecOptions options) {
  options.prefix_sharing = false;
  return options;
}

/// Answers of exactly max_new_tokens tokens: a prompt that ends early is refused, since its rate would say little.
class GenerateBench {
 public:
  explicit GenerateBench(const GenerateBenchFlags& flags)
      : flags_(flags),
        model_(flags.exec.load(flags.pool)),
        executor_(model_.pool, model_.tokenizer, flags.exec.options()),
        unshared_(model_.pool, model_.tokenizer, without_sharing(flags.exec.options())) {
    task_.name = "generate";
    task_.stop = {};
    task_.max_new_tokens = flags.max_new_tokens;
    const int depth = model_.pool->manifest().depth;
    programs_ = {core::Program::identity(depth)};
    for (const std::string& notation : flags.programs) programs_.push_back(core::Program::parse(notation, depth));
  }

  void run() {
    std::vector<BenchVariant> variants;
    for (const core::Program& program : programs_) {
      const std::string name = "program " + program.text();
      variants.push_back(own(name, {program}, executor_));
      if (flags_.compare) variants.push_back(reference("hf " + name, {program}));
    }
    for (const std::string& folder : flags_.policies) variants.push_back(chosen(folder));
    const std::string name = fmt::format("{} prompts at once, programs in turn, nothing shared", flags_.prompts);
    std::vector<core::Program> many;
    for (int i = 0; i < flags_.prompts; ++i) many.push_back(programs_[static_cast<std::size_t>(i) % programs_.size()]);
    variants.push_back(own(name, many, unshared_));
    BenchTable table{"tokens", flags_.policies.empty() ? "" : variants.front().name, {}};
    const std::vector<BenchSeries> series =
        alternate(variants, flags_.rounds, *model_.pool, executor_.options(), table);
    for (const BenchSeries& one : series) std::cout << to_json(one, table).dump() << '\n';
    std::cerr << fmt::format("{} new tokens, {} threads, {}\n", flags_.max_new_tokens, executor_.options().workers,
                             pool::to_string(model_.pool->dtype()))
              << table_text(series, table);
  }

 private:
  BenchRun answer(exec::Executor& executor, const std::vector<core::Program>& programs) {
    const exec::TaskEncoder encoder(model_.pool->manifest(), *model_.tokenizer, task_);
    std::vector<exec::EncodedExample> inputs;
    for (std::size_t i = 0; i < programs.size(); ++i)
      inputs.push_back(encoder.encode_input(fmt::format("prompt {}", i + 1), flags_.prompt));
    const exec::GenerationRules rules{nullptr, {}, flags_.max_new_tokens, exec::StopRule::kFull};
    std::vector<exec::Request> requests;
    for (std::size_t i = 0; i < programs.size(); ++i)
      requests.push_back({&inputs[i], programs[i], 0, 0, &rules, false});
    BenchRun run;
    for (exec::Answer& answer : executor.answer(requests)) {
      if (static_cast<int>(answer.tokens.size()) < flags_.max_new_tokens) {
        throw core::Error(fmt::format("--prompt: expected one whose answer has {} tokens, found an answer of {}",
                                      flags_.max_new_tokens, answer.tokens.size()));
      }
      run.units += static_cast<double>(answer.tokens.size());
      run.texts.push_back(std::move(answer.text));
    }
    run.work = executor.stats();
    return run;
  }

  BenchVariant own(const std::string& name, const std::vector<core::Program>& programs, exec::Executor& executor) {
    return measured(name, executor, [this, programs, &executor] { return answer(executor, programs); });
  }

  BenchVariant measured(const std::string& name, exec::Executor& executor, const std::function<BenchRun()>& once) {
    const auto reset = [&executor] {
      executor.clear_cache();
      executor.reset_stats();
    };
    return {name, once, [=, this] { return repeat(flags_.seconds, reset, once); }};
  }

  /// A trained policy reads its features, chooses, and the identity answers, whatever the choice: what is measured is
  /// the price of choosing.
  BenchVariant chosen(const std::string& folder) {
    policies_.push_back(policy::TrainedPolicy::load(folder, model_.pool->manifest().weights_digest));
    const std::size_t index = policies_.size() - 1;
    return measured("identity, after the choice of " + folder, executor_, [this, index] {
      const exec::TaskEncoder encoder(model_.pool->manifest(), *model_.tokenizer, task_);
      const exec::EncodedExample prompt = encoder.encode_input("prompt 1", flags_.prompt);
      policies_[index].choose(executor_, std::span(&prompt, 1));
      return answer(executor_, {programs_.front()});
    });
  }

  BenchVariant reference(const std::string& name, const std::vector<core::Program>& programs) {
    return {name, {}, [=, this] {
              const TemporaryFile trials("generate");
              std::ofstream file(trials.path());
              const auto layers = programs.front().layers();
              const nlohmann::json line = {{"prompt", flags_.prompt},
                                           {"answer", ""},
                                           {"program", std::vector<int>(layers.begin(), layers.end())}};
              for (int repeat = 0; repeat < 3; ++repeat) file << line.dump() << '\n';
              file.close();
              BenchRun run = run_reference(flags_.reference,
                                           {trials.path().string(), "single", pool::to_string(model_.pool->dtype()),
                                            model_.pool->device(), flags_.max_new_tokens, executor_.options().workers});
              run.units *= flags_.max_new_tokens;
              return run;
            }};
  }

  const GenerateBenchFlags& flags_;
  exec::Model model_;
  exec::Executor executor_, unshared_;  ///< the second without prefix sharing: the same prompt again is new work
  task::TaskSpec task_;
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
  generate->add_option("--prompts", flags->prompts, "Prompts answered at once in the last variant")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  generate->add_option("--rounds", flags->rounds, "Times each variant runs, in turn with the others")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  generate->add_option("--seconds", flags->seconds, "Repeat within a round for at least this long")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  generate->add_flag("--compare", flags->compare, "Run transformers in turn, one prompt a call");
  flags->reference.declare(*generate);
  flags->exec.declare(*generate);
  generate->footer("Example: polar bench generate --pool pools/smollm2-135m --program 0-14,12-29 --compare");
  generate->callback([flags] { GenerateBench(*flags).run(); });
}

}  // namespace polar::cli
