// The executor's shortcuts, alone and together, on random models and on a real one: the same bits as without any.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "exec/model.h"
#include "support/executor_checks.h"
#include "support/executor_trials.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::exec {
namespace {

using core::Program;
using test::random_options, test::random_sum, test::sums, test::text_of, test::Trials, test::without_shortcuts;

class RandomModel : public testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override {
    test::TinyPoolOptions shape;
    shape.seed = GetParam();
    shape.depth = 2 + static_cast<int>(random_.below(7));
    shape.kv_heads = 1 + static_cast<int>(random_.below(3));
    shape.heads = shape.kv_heads * (1 + static_cast<int>(random_.below(3)));
    shape.head_size = 4 << random_.below(3);
    shape.hidden = shape.heads * shape.head_size;
    shape.inner = 16 + 8 * static_cast<int>(random_.below(8));
    test::write_tiny_pool(folder_ / "pool", shape);
    depth_ = shape.depth;
  }

  test::LoadedPool load() {
    const auto dtype = random_.below(2) == 0 ? pool::DType::kFloat32 : pool::DType::kBFloat16;
    return test::load_pool(folder_ / "pool", dtype,
                           random_.below(2) == 0 ? pool::Kernels::kRows : pool::choose_kernels("auto", dtype));
  }

  core::Random random_{GetParam()};
  test::TemporaryFolder folder_;
  int depth_ = 0;
};

TEST_P(RandomModel, GivesTheSameBitsUnderAnySetOfSwitches) {
  const test::LoadedPool model = load();
  Trials trials(*model.pool, *model.tokenizer, sums(8));
  for (int i = 0; i < 6; ++i) trials.add(random_sum(random_, i));
  for (int i = 0; i < 20; ++i) trials.programs.push_back(test::random_program(random_, depth_));
  for (StopRule stop : {StopRule::kVerdict, StopRule::kAnswer, StopRule::kFull}) {
    const std::vector<Answer> plain = trials.run(model.pool, model.tokenizer, without_shortcuts(), stop);
    for (int i = 0; i < 4; ++i) {
      const ExecOptions options = random_options(random_);
      test::expect_equal_bits(trials.run(model.pool, model.tokenizer, options, stop), plain, text_of(options));
    }
  }
}

TEST_P(RandomModel, ReachesTheVerdictsOfLongAnswersEarlyWithEveryGrader) {
  const test::LoadedPool model = load();
  std::size_t right = 0;
  for (const char* grader : {"numeric:first", "numeric:last", "numeric:boxed-first", "numeric:boxed-last", "exact"}) {
    task::TaskSpec task = sums(64);
    task.grader = grader;
    Trials trials(*model.pool, *model.tokenizer, task);
    for (int i = 0; i < 4; ++i) trials.add(random_sum(random_, i));
    for (int i = 0; i < 8; ++i) trials.programs.push_back(test::random_program(random_, depth_));
    // Half of the references become what the model says, whole numbers in another of their accepted forms.
    const std::vector<Answer> said = trials.run(model.pool, model.tokenizer, without_shortcuts(), StopRule::kFull);
    for (std::size_t i = 0; i < trials.examples.size(); i += 2) {
      const std::string& answer = said[i * (trials.programs.size() + 1)].answer;
      const bool whole = !answer.empty() && std::ranges::all_of(answer, [](char c) { return c >= '0' && c <= '9'; });
      if (!answer.empty()) trials.examples[i].reference = whole && i % 4 == 0 ? answer + ".0" : answer;
    }
    const std::vector<Answer> full = trials.run(model.pool, model.tokenizer, without_shortcuts(), StopRule::kFull);
    const std::vector<Answer> early =
        trials.run(model.pool, model.tokenizer, random_options(random_), StopRule::kVerdict);
    for (std::size_t i = 0; i < full.size(); ++i) {
      EXPECT_EQ(early[i].correct, full[i].correct) << grader << ", trial " << i << ": " << full[i].text;
      EXPECT_TRUE(full[i].text.starts_with(early[i].text)) << grader << ", trial " << i;
      right += full[i].correct ? 1 : 0;
    }
  }
  EXPECT_GT(right, 0U) << "the fixture must hold right answers";
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomModel, testing::Range<std::uint64_t>(1, 7));

TEST(RealModel, GivesTheSameBitsUnderEverySwitchAndUnderAll) {
  const char* asked = std::getenv("POLAR_TEST_POOL");
  const std::filesystem::path folder = asked != nullptr ? asked : POLAR_TEST_POOL_FOLDER;
  if (!std::filesystem::exists(folder / "pool.json"))
    GTEST_SKIP() << folder << " is not there: scripts/quickstart.sh makes it; or set POLAR_TEST_POOL";
  const Model model = load_model(folder, "auto");
  Trials trials(*model.pool, *model.tokenizer, sums(6));
  core::Random random(5);
  for (int i = 0; i < 5; ++i) trials.add(random_sum(random, i));
  trials.programs.push_back(Program::identity(model.pool->manifest().depth));
  for (int i = 0; i < 4; ++i) trials.programs.push_back(test::random_program(random, model.pool->manifest().depth));
  const auto run = [&](const ExecOptions& options) {
    return trials.run(model.pool, model.tokenizer, options, StopRule::kVerdict);
  };
  const std::vector<Answer> plain = run(without_shortcuts());
  test::expect_equal_bits(run({}), plain, "every shortcut");
  for (bool ExecOptions::* shortcut :
       {&ExecOptions::prefix_sharing, &ExecOptions::layer_batching, &ExecOptions::draft_verification,
        &ExecOptions::shared_prompt, &ExecOptions::read_rows_only}) {
    ExecOptions options;
    options.*shortcut = false;
    test::expect_equal_bits(run(options), plain, text_of(options));
  }
}

}  // namespace
}  // namespace polar::exec
