// polar generate: one prompt, answered under a program.

#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/exec_flags.h"
#include "exec/executor.h"
#include "exec/model.h"

namespace polar::cli {
namespace {

struct GenerateFlags {
  std::string pool, prompt, program, system;
  std::vector<std::string> stop;
  bool chat = false, quiet = false;
  int max_new_tokens = 64;
  double temperature = 0;
  std::uint64_t seed = 1;
  ExecFlags exec;
};

void generate(const GenerateFlags& flags) {
  const exec::Model model = exec::load_model(flags.pool, flags.exec.dtype, flags.exec.kernels);
  const int depth = model.pool->manifest().depth;
  const core::Program program =
      flags.program.empty() ? core::Program::identity(depth) : core::Program::parse(flags.program, depth);
  task::TaskSpec task;
  task.name = "generate";
  task.chat = flags.chat;
  task.system = flags.system;
  task.stop = flags.stop;
  task.max_new_tokens = flags.max_new_tokens;
  const exec::TaskEncoder encoder(model.pool->manifest(), *model.tokenizer, task);
  exec::ExecOptions options;
  options.workers = flags.exec.workers;
  options.seed = flags.seed;
  exec::Executor executor(model.pool, model.tokenizer, options);
  const exec::EncodedExample input = encoder.encode_input("prompt", flags.prompt);
  const exec::GenerationRules rules{nullptr, flags.stop, flags.max_new_tokens, exec::StopRule::kFull};
  const exec::Request request{&input, program, flags.temperature, 0, &rules, false};
  const exec::Answer answer = executor.answer(std::span(&request, 1)).front();
  std::cout << answer.text << '\n';
  if (flags.quiet) return;
  std::cerr << fmt::format(
      "program {} ({} layer executions, depth ratio {:.2f}); {} prompt tokens in {:.0f} ms, {} new ones in {:.0f} ms; "
      "mean log-probability {:.3f}\n",
      program.text(), program.length(), program.depth_ratio(depth), input.prompt.size(), answer.prefill_ms,
      answer.tokens.size(), answer.decode_ms, answer.confidence);
}

}  // namespace

void add_generate(CLI::App& app) {
  auto flags = std::make_shared<GenerateFlags>();
  CLI::App* command = app.add_subcommand("generate", "Answer one prompt under a program of layers");
  command->add_option("pool", flags->pool, "Pool folder")->required();
  command->add_option("prompt", flags->prompt, "Text to continue, or the user's words with --chat")->required();
  command->add_option("--program", flags->program, "Layers to run, as in 0-14,12-29; default: all once");
  command->add_flag("--chat", flags->chat, "Put the prompt into the model's chat template");
  command->add_option("--system", flags->system, "System text of the chat template");
  command->add_option("--max-new-tokens", flags->max_new_tokens, "Length limit")
      ->capture_default_str()
      ->check(CLI::Range(1, 32768));
  command->add_option("--stop", flags->stop, "End at this text; may be given again");
  command->add_option("--temperature", flags->temperature, "0 = greedy")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  command->add_option("--seed", flags->seed, "Seed of sampling")->capture_default_str();
  command->add_flag("--quiet", flags->quiet, "Print the text only");
  flags->exec.declare(*command);
  command->footer(
      "Example: polar generate pools/smollm2-135m 'What is the capital of France?' --chat --program 0-14,12-29");
  command->callback([flags] { generate(*flags); });
}

}  // namespace polar::cli
