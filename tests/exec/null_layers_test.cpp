// Programs on a shuffled pool are other programs on the pool itself.

#include "pool/null_layers.h"

#include <gtest/gtest.h>

#include "support/executor_checks.h"
#include "support/executor_trials.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::exec {
namespace {

TEST(NullLayers, ComputeWhatTheMappedProgramComputesOnThePool) {
  const test::TemporaryFolder folder;
  constexpr int kLayers = 6;
  constexpr std::uint64_t kSeed = 3;
  test::write_tiny_pool(folder / "pool", {.depth = kLayers});
  pool::LoadOptions shuffled;
  shuffled.null = {pool::NullLayers::kShuffled, kSeed};
  const auto loaded = test::load_pool(folder / "pool", pool::DType::kFloat32);
  const auto null = pool::ModulePool::load(folder / "pool", shuffled);
  const std::vector<int> order = pool::shuffled_order(kLayers, kSeed);

  const task::TaskSpec task = test::sums(4);
  test::Trials on_null(*null, *loaded.tokenizer, task), on_pool(*loaded.pool, *loaded.tokenizer, task);
  core::Random random(8);
  for (int i = 0; i < 4; ++i) {
    const task::Example example = test::random_sum(random, i);
    on_null.add(example);
    on_pool.add(example);
  }
  for (int i = 0; i < 12; ++i) {
    const core::Program program = i == 0 ? core::Program::identity(kLayers) : test::random_program(random, kLayers);
    std::vector<core::Program::Layer> mapped;
    for (const core::Program::Layer layer : program.layers())
      mapped.push_back(static_cast<core::Program::Layer>(order[layer]));
    on_null.programs.push_back(program);
    on_pool.programs.emplace_back(std::move(mapped));
  }
  // Sampled answers are drawn by noise keyed by the program, so they are no part of this.
  const auto greedy = [](std::vector<Answer> answers, std::size_t programs) {
    std::vector<Answer> kept;
    for (std::size_t i = 0; i < answers.size(); ++i)
      if (i % (programs + 1) != programs) kept.push_back(std::move(answers[i]));
    return kept;
  };
  const ExecOptions options = test::without_shortcuts();
  test::expect_equal_bits(
      greedy(on_null.run(null, loaded.tokenizer, options, StopRule::kAnswer), on_null.programs.size()),
      greedy(on_pool.run(loaded.pool, loaded.tokenizer, options, StopRule::kAnswer), on_pool.programs.size()),
      "shuffled layers");
}

}  // namespace
}  // namespace polar::exec
