#include "policy/block_influence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"
#include "task/task.h"

namespace polar::policy {
namespace {

using core::Program;

TEST(TurnedTokens, SumOneMinusTheCosineOfEachToken) {
  const exec::States before{3, 2, {1, 0, 0, 2, 3, 4}};
  const exec::States after{3, 2, {5, 0, 1, 0, -3, -4}};  // the same direction, a right angle, the opposite
  EXPECT_DOUBLE_EQ(turned_tokens(before, after), 0 + 1 + 2);
  EXPECT_DOUBLE_EQ(turned_tokens({1, 2, {0, 0}}, {1, 2, {0, 0}}), 0);
  EXPECT_DOUBLE_EQ(turned_tokens({1, 2, {0, 0}}, {1, 2, {1, 0}}), 1);
  EXPECT_THROW(turned_tokens(before, {2, 2, {1, 0, 0, 1}}), core::Error);
}

TEST(BlockInfluence, IsTheMeanOverTheTokensOfAllPrompts) {
  const test::TemporaryFolder folder;
  test::write_tiny_pool(folder / "pool", {.depth = 3});
  const test::LoadedPool loaded = test::load_pool(folder / "pool", pool::DType::kFloat32);
  exec::Executor executor(loaded.pool, loaded.tokenizer, exec::ExecOptions{.workers = 1});
  const task::TaskSpec task;
  const exec::TaskEncoder encoder(loaded.pool->manifest(), *loaded.tokenizer, task);
  const exec::EncodedExample prompts[] = {encoder.encode_input("one", "1 + 1"),
                                          encoder.encode_input("two", "number 2")};
  const std::vector<double> influence = block_influence(executor, prompts);
  ASSERT_EQ(influence.size(), 3U);
  const auto last = [&](int layers) { return executor.states(prompts, Program::identity(layers)); };
  const auto before = last(2), after = last(3);
  EXPECT_DOUBLE_EQ(influence[2], (turned_tokens(before[0], after[0]) + turned_tokens(before[1], after[1])) /
                                     static_cast<double>(prompts[0].prompt.size() + prompts[1].prompt.size()));
  for (const double each : influence) EXPECT_TRUE(each > 0 && each < 2) << each;
  EXPECT_THROW(block_influence(executor, {}), core::Error);
}

TEST(WithoutLeastInfluential, RemovesTheLeastOfTheLayersThatMayGo) {
  const std::vector<double> influence = {0.0, 0.5, 0.2, 0.2, 0.3, 0.1};
  EXPECT_EQ(without_least_influential(influence, 1, 5, 1), Program::parse("0-2,4-5")) << "of equal ones the later";
  EXPECT_EQ(without_least_influential(influence, 1, 5, 3), Program::parse("0-1,5"));
  EXPECT_EQ(without_least_influential(influence, 0, 6, 2), Program::parse("1-4"));
  for (const int count : {0, 5}) EXPECT_THROW(without_least_influential(influence, 1, 5, count), core::UsageError);
  EXPECT_THROW(without_least_influential(influence, 0, 6, 6), core::UsageError) << "a layer must be left";
}

}  // namespace
}  // namespace polar::policy
