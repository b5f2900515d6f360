// polar bench: measurements. `trials` runs a trials file as bench/reference_hf.py does, so that both can be compared in
// one run.

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exec_flags.h"
#include "core/error.h"
#include "exec/model.h"
#include "search/executor_evaluator.h"

namespace polar::cli {
namespace {

using nlohmann::json;

struct TrialsFlags {
  std::string pool, trials;
  int max_new_tokens = 50;
  bool plain = false;
  ExecFlags exec;
};

struct TrialsFile {
  std::vector<task::Example> examples;  ///< distinct (prompt, answer) pairs
  std::vector<std::size_t> example_of;  ///< by trial
  std::vector<core::Program> programs;  ///< by trial
};

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
      trials.programs.emplace_back(row.at("program").get<std::vector<core::Program::Layer>>());
    } catch (const json::exception& error) {
      throw core::Error(
          fmt::format("{}:{}: expected {{\"prompt\": text, \"answer\": text, \"program\": [layer, …]}}, found: {}",
                      path, number, error.what()));
    }
  }
  if (trials.programs.empty()) throw core::Error(fmt::format("{}: expected at least one trial, found none", path));
  return trials;
}

exec::ExecOptions exec_options(const TrialsFlags& flags) {
  exec::ExecOptions options;
  options.workers = flags.exec.workers;
  if (flags.plain) {
    options.prefix_sharing = options.draft_verification = options.shared_prompt = options.read_rows_only = false;
  }
  return options;
}

/// Tokenises, executes, decodes and grades every trial; what the reference times too.
std::vector<exec::Answer> run_trials(exec::Executor& executor, const TrialsFile& trials, const TrialsFlags& flags,
                                     std::size_t count) {
  task::TaskSpec task;
  task.name = "trials";
  task.grader = "numeric:first";
  task.stop = {};
  task.max_new_tokens = flags.max_new_tokens;
  exec::TaskEncoder encoder(executor.pool().manifest(), executor.tokenizer(), task);
  std::vector<exec::EncodedExample> encoded;
  for (const task::Example& example : trials.examples) encoded.push_back(encoder.encode(example, false));
  executor.set_shared_prompt(exec::shared_prompt(encoded));
  const exec::GenerationRules rules{
      &encoder.grader(), {}, flags.max_new_tokens, flags.plain ? exec::StopRule::kFull : exec::StopRule::kVerdict};
  std::vector<exec::Request> requests;
  for (std::size_t i = 0; i < count; ++i) {
    requests.push_back({&encoded[trials.example_of[i]], trials.programs[i], 0, 0, &rules, false});
  }
  return executor.answer(requests);
}

void bench_trials(const TrialsFlags& flags) {
  const TrialsFile trials = read_trials(flags.trials);
  const exec::Model model = exec::load_model(flags.pool, flags.exec.dtype, flags.exec.kernels);
  exec::Executor executor(model.pool, model.tokenizer, exec_options(flags));
  run_trials(executor, trials, flags, std::min<std::size_t>(64, trials.programs.size()));  // warm-up
  executor.clear_cache();
  const exec::ExecStats before = executor.stats();

  const auto start = std::chrono::steady_clock::now();
  const std::vector<exec::Answer> answers = run_trials(executor, trials, flags, trials.programs.size());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const exec::ExecStats after = executor.stats();
  json correct = json::array(), texts = json::array();
  for (const exec::Answer& answer : answers) {
    correct.push_back(answer.correct ? 1 : 0);
    texts.push_back(answer.text);
  }
  const json result = {{"mode", flags.plain ? "plain" : "draft"},
                       {"rollouts", answers.size()},
                       {"seconds", seconds},
                       {"rollouts_per_s", static_cast<double>(answers.size()) / seconds},
                       {"layer_rows", after.layer_rows - before.layer_rows},
                       {"unread_rows", after.unread_rows - before.unread_rows},
                       {"layer_calls", after.layer_calls - before.layer_calls},
                       {"waves", after.waves - before.waves},
                       {"padded_layer_rows", after.padded_layer_rows - before.padded_layer_rows},
                       {"head_rows", after.head_rows - before.head_rows},
                       {"peak_state_bytes", after.peak_bytes},
                       {"fingerprint", executor.fingerprint()},
                       {"correct", correct},
                       {"texts", texts}};
  std::cout << result.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "Measure throughput");
  command->require_subcommand(1);
  auto flags = std::make_shared<TrialsFlags>();
  CLI::App* trials = command->add_subcommand(
      "trials", "Run (prompt, answer, program) trials and print rollouts/s and verdicts as one JSON line");
  trials->add_option("--pool", flags->pool, "Pool folder")->required();
  trials
      ->add_option("--trials", flags->trials,
                   "JSONL with prompt, answer and program, as bench/reference_hf.py reads it")
      ->required();
  trials->add_option("--max-new-tokens", flags->max_new_tokens, "Length limit of an answer")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  trials->add_flag("--plain", flags->plain,
                   "No drafts, no early stop, no sharing: every token is generated, texts are whole");
  flags->exec.declare(*trials);
  trials->footer("Example: polar bench trials --pool pools/smollm2-135m --trials trials.jsonl --max-new-tokens 6");
  trials->callback([flags] { bench_trials(*flags); });
}

}  // namespace polar::cli
