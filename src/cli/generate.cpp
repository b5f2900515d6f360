// polar generate: prompts, answered under programs.

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exec_flags.h"
#include "core/error.h"
#include "core/milliseconds_since.h"
#include "exec/executor.h"
#include "exec/model.h"
#include "policy/trained_policy.h"

namespace polar::cli {
namespace {

using nlohmann::json;

struct GenerateFlags {
  std::string pool, prompt, prompts, program, policy, encoder, system, prompt_template;
  std::vector<std::string> stop;
  bool chat = false, quiet = false;
  int max_new_tokens = 64;
  double temperature = 0;
  std::uint64_t seed = 1;
  ExecFlags exec;
};

struct Prompt {
  std::string text;
  core::Program program;
};

/// One answer, and what it took.
struct Reply {
  core::Program program;  ///< that gave it
  exec::Answer answer;
  double choice_ms = 0;  ///< of a policy, all prompts together
  int tries = 1;         ///< of a cascade; the rest is of all of them
  int layers = program.length();
  std::size_t tokens = answer.tokens.size();
  double prefill_ms = answer.prefill_ms, decode_ms = answer.decode_ms;
};

core::Program read_program(const std::string& notation, int depth) {
  return notation.empty() ? core::Program::identity(depth) : core::Program::parse(notation, depth);
}

/// One prompt a line; a line without a program takes the command's.
std::vector<Prompt> read_prompts(const GenerateFlags& flags, int depth) {
  std::ifstream file(flags.prompts);
  if (!file)
    throw core::Error(fmt::format("{}: expected a file of prompts, found none that can be read", flags.prompts));
  std::vector<Prompt> prompts;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    try {
      const json row = json::parse(line);
      if (!flags.policy.empty() && row.contains("program"))
        throw core::Error("program: expected none, since --policy chooses it, found one");
      prompts.push_back(
          {row.at("prompt").get<std::string>(), read_program(row.value("program", flags.program), depth)});
    } catch (const json::exception& error) {
      throw core::Error(
          fmt::format("{}:{}: expected {{\"prompt\": text, \"program\": notation (may be absent)}}, found: {}",
                      flags.prompts, number, error.what()));
    } catch (const core::Error& error) {
      throw core::Error(fmt::format("{}:{}: {}", flags.prompts, number, error.what()));
    }
  }
  if (prompts.empty()) throw core::Error(fmt::format("{}: expected at least one prompt, found none", flags.prompts));
  return prompts;
}

void print_reply(const Prompt& prompt, const Reply& reply) {
  const json line = {{"prompt", prompt.text},
                     {"program", reply.program.text()},
                     {"text", reply.answer.text},
                     {"tokens", reply.tokens},
                     {"layers", reply.layers},
                     {"tries", reply.tries},
                     {"mean_log_prob", reply.answer.confidence}};
  std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

void print_summary(const Reply& reply, const exec::EncodedExample& input, int depth) {
  const double decoded = static_cast<double>(reply.tokens) - reply.tries;
  std::cerr << fmt::format(
      "program {} ({} layer executions a token{}, depth ratio {:.2f}){}; {} prompt tokens in {:.0f} ms, {} new ones in "
      "{:.0f} ms ({:.1f} a second); mean log-probability {:.3f}\n",
      reply.program.text(), reply.layers, reply.tries > 1 ? fmt::format(" in {} tries", reply.tries) : "",
      static_cast<double>(reply.layers) / depth,
      reply.choice_ms > 0 ? fmt::format(", chosen in {:.0f} ms", reply.choice_ms) : "", input.prompt.size(),
      reply.prefill_ms, reply.tokens, reply.decode_ms, reply.decode_ms > 0 ? decoded / reply.decode_ms * 1000 : 0,
      reply.answer.confidence);
}

std::vector<Reply> replies_of(std::span<const exec::Request> requests, std::vector<exec::Answer> answers) {
  std::vector<Reply> replies;
  for (std::size_t i = 0; i < requests.size(); ++i) replies.push_back({requests[i].program, std::move(answers[i])});
  return replies;
}

Reply reply_of(const policy::CascadeRun& run) {
  Reply reply{run.programs[run.answer], run.answers[run.answer]};
  reply.tries = static_cast<int>(run.programs.size());
  reply.layers = run.layers();
  reply.tokens = run.tokens();
  reply.prefill_ms = reply.decode_ms = 0;
  for (const exec::Answer& answer : run.answers) {
    reply.prefill_ms += answer.prefill_ms;
    reply.decode_ms += answer.decode_ms;
  }
  return reply;
}

/// Goes through the ranked programs of every request; its text is given out when it is known.
std::vector<Reply> reply_by_cascade(const policy::TrainedPolicy& policy, exec::Executor& executor,
                                    std::span<const policy::RankedPrograms> ranked,
                                    std::span<const exec::Request> requests) {
  const std::unique_ptr<task::TextGrader> grader = task::make_grader(policy.cascade_rule().value().grader);
  exec::GenerationRules rules = *requests.front().rules;
  rules.grader = grader.get();
  std::vector<std::unique_ptr<policy::Cascade>> cascades;
  for (const policy::RankedPrograms& programs : ranked) cascades.push_back(policy.cascade(programs));
  const std::vector<policy::CascadeRun> runs =
      policy::run_cascades(cascades, [&](std::span<const policy::CascadeTrial> trials) {
        std::vector<exec::Request> tried;
        for (const policy::CascadeTrial& trial : trials) {
          exec::Request request = requests[trial.input];
          request.program = trial.program;
          request.rules = &rules;
          request.on_text = nullptr;
          tried.push_back(std::move(request));
        }
        return executor.answer(tried);
      });
  std::vector<Reply> replies;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    replies.push_back(reply_of(runs[i]));
    if (requests[i].on_text) requests[i].on_text(replies.back().answer.text);
  }
  return replies;
}

/// Every prompt is answered under the program that a trained policy chooses for it, or those that a cascade tries.
std::vector<Reply> reply_by_policy(const GenerateFlags& flags, exec::Executor& executor,
                                   std::span<const exec::EncodedExample> inputs, std::span<exec::Request> requests) {
  policy::TrainedPolicy policy =
      policy::TrainedPolicy::load(flags.policy, executor.pool().manifest().weights_digest, flags.encoder);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<policy::RankedPrograms> ranked = policy.rank(executor, inputs);
  const double choice_ms = core::milliseconds_since(start);
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].program = ranked[i].front();
  std::vector<Reply> replies = policy.cascade_rule() ? reply_by_cascade(policy, executor, ranked, requests)
                                                     : replies_of(requests, executor.answer(requests));
  for (Reply& reply : replies) reply.choice_ms = choice_ms;
  return replies;
}

void generate(const GenerateFlags& flags) {
  const exec::Model model = flags.exec.load(flags.pool);
  const int depth = model.pool->manifest().depth;
  const bool many = !flags.prompts.empty();
  const std::vector<Prompt> prompts =
      many ? read_prompts(flags, depth) : std::vector<Prompt>{{flags.prompt, read_program(flags.program, depth)}};
  task::TaskSpec task;
  task.name = "generate";
  if (!flags.prompt_template.empty()) task.prompt_template = flags.prompt_template;
  task.chat = flags.chat;
  task.system = flags.system;
  task.stop = flags.stop;
  task.max_new_tokens = flags.max_new_tokens;
  task::check(task);
  const exec::TaskEncoder encoder(model.pool->manifest(), *model.tokenizer, task);
  std::vector<exec::EncodedExample> inputs;
  for (std::size_t i = 0; i < prompts.size(); ++i)
    inputs.push_back(encoder.encode_input(many ? fmt::format("prompt {}", i + 1) : "prompt", prompts[i].text));

  exec::ExecOptions options = flags.exec.options();
  options.seed = flags.seed;
  exec::Executor executor(model.pool, model.tokenizer, options);
  // A policy's features are read from the whole prompt: its states serve the answer only without a shared prompt.
  if (many && flags.policy.empty()) executor.set_shared_prompt(exec::shared_prompt(inputs));
  const exec::GenerationRules rules{nullptr, flags.stop, flags.max_new_tokens, exec::StopRule::kFull};
  std::vector<exec::Request> requests;
  for (std::size_t i = 0; i < prompts.size(); ++i)
    requests.push_back({&inputs[i], prompts[i].program, flags.temperature, 0, &rules, false});
  if (!many) requests.front().on_text = [](std::string_view piece) { std::cout << piece << std::flush; };

  const std::vector<Reply> replies = flags.policy.empty() ? replies_of(requests, executor.answer(requests))
                                                          : reply_by_policy(flags, executor, inputs, requests);
  if (many) {
    for (std::size_t i = 0; i < prompts.size(); ++i) print_reply(prompts[i], replies[i]);
    return;
  }
  std::cout << std::endl;
  if (!flags.quiet) print_summary(replies.front(), inputs.front(), depth);
}

}  // namespace

void add_generate(CLI::App& app) {
  auto flags = std::make_shared<GenerateFlags>();
  CLI::App* command = app.add_subcommand("generate", "Answer prompts under programs of layers");
  command->add_option("pool", flags->pool, "Pool folder")->required();
  CLI::Option* prompt =
      command->add_option("prompt", flags->prompt, "Text to continue, or the user's words with --chat");
  CLI::Option* prompts = command->add_option("--prompts", flags->prompts,
                                             "JSONL with a prompt and, if wanted, a program a line, instead of one "
                                             "prompt; answers as JSON lines in their order");
  prompts->excludes(prompt);
  CLI::Option* program =
      command->add_option("--program", flags->program, "Layers to run, as in 0-14,12-29; default: all once");
  command
      ->add_option("--policy", flags->policy,
                   "Folder of a trained policy, as in runs/quickstart/menu: it chooses each prompt's program")
      ->excludes(program);
  command
      ->add_option("--encoder", flags->encoder,
                   "Encoder package of the policy's features, if not where it was trained; it reads the prompt without "
                   "--template")
      ->needs("--policy");
  command->add_option("--template", flags->prompt_template,
                      "Text around the prompt, which takes the place of {question} in it, as in task.template");
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
  command->callback([flags, prompt, prompts] {
    if (prompt->count() + prompts->count() == 0)
      throw core::UsageError("generate: expected a prompt, or --prompts with a file, found neither");
    generate(*flags);
  });
}

}  // namespace polar::cli
