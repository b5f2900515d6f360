#pragma once
// Executors with sets of switches, and small tasks to run them on.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "core/seed.h"
#include "exec/executor.h"

namespace polar::test {

/// Every token of every program is computed, one worker.
inline exec::ExecOptions without_shortcuts() {
  exec::ExecOptions options;
  options.workers = 1;
  options.prefix_sharing = options.layer_batching = options.draft_verification = options.shared_prompt =
      options.read_rows_only = false;
  return options;
}

/// Any set of switches, any number of workers, any size of batch and cache.
inline exec::ExecOptions random_options(core::Random& random) {
  exec::ExecOptions options;
  for (bool* shortcut : {&options.prefix_sharing, &options.layer_batching, &options.draft_verification,
                         &options.shared_prompt, &options.read_rows_only})
    *shortcut = random.below(2) == 0;
  options.workers = 1 + static_cast<int>(random.below(3));
  options.layer_rows = 32 << random.below(4);
  options.cache_bytes = random.below(2) == 0 ? 0 : 1UL << (14 + random.below(10));
  options.wave_bytes = random.below(2) == 0 ? 1 : 1UL << (14 + random.below(10));
  return options;
}

inline std::string text_of(const exec::ExecOptions& o) {
  return fmt::format(
      "sharing {}, batching {}, drafts {}, shared prompt {}, read rows {}, workers {}, rows {}, cache {}, wave {}",
      o.prefix_sharing, o.layer_batching, o.draft_verification, o.shared_prompt, o.read_rows_only, o.workers,
      o.layer_rows, o.cache_bytes, o.wave_bytes);
}

/// A task's examples on a model, each under every program.
struct Trials {
  Trials(const pool::ModulePool& pool, const text::Tokenizer& tokenizer, const task::TaskSpec& task)
      : encoder(pool.manifest(), tokenizer, task), rules{&encoder.grader(), task.stop, task.max_new_tokens} {}

  void add(const task::Example& example) { examples.push_back(encoder.encode(example)); }

  std::vector<exec::Answer> run(const std::shared_ptr<const pool::ModulePool>& pool,
                                const std::shared_ptr<const text::Tokenizer>& tokenizer,
                                const exec::ExecOptions& options, exec::StopRule stop) {
    rules.stop = stop;
    std::vector<exec::Request> requests;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      for (const core::Program& program : programs)
        requests.push_back({&examples[i], program, 0, 0, &rules, i % 2 == 0});
      requests.push_back({&examples[i], programs.front(), 0.8, static_cast<int>(i), &rules, false});
    }
    exec::Executor executor(pool, tokenizer, options);
    executor.set_shared_prompt(exec::shared_prompt(examples));
    return executor.answer(requests);
  }

  exec::TaskEncoder encoder;
  exec::GenerationRules rules;
  std::vector<exec::EncodedExample> examples;
  std::vector<core::Program> programs;
};

inline task::TaskSpec sums(int max_new_tokens) {
  task::TaskSpec task;
  task.prompt_template = "Question: What is {question}?\nAnswer: {question} =";
  task.grader = "numeric:first";
  task.max_new_tokens = max_new_tokens;
  return task;
}

inline task::Example random_sum(core::Random& random, int number) {
  const auto a = random.below(90), b = random.below(90);
  return {fmt::format("sum-{}", number), fmt::format("{} + {}", a, b), fmt::format("{}", a + b), {}, -1, "", ""};
}

}  // namespace polar::test
