// The executor's shortcuts, alone and together, on random models, tiny and of real widths, and on a real one: the same
// bits as without any.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdlib>
#include <string>
#include <tuple>

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
    std::vector<task::Example> examples;
    for (int i = 0; i < 8; ++i) trials.add(examples.emplace_back(random_sum(random_, i)));
    for (int i = 0; i < 6; ++i) trials.programs.push_back(test::random_program(random_, depth_));
    // Half of the references, and so of the drafts, become what the model says: a whole number in any accepted form.
    const std::vector<Answer> said = trials.run(model.pool, model.tokenizer, without_shortcuts(), StopRule::kFull);
    for (std::size_t i = 0; i < examples.size(); i += 2) {
      const std::string& answer = said[i * (trials.programs.size() + 1)].answer;
      const bool whole = !answer.empty() && std::ranges::all_of(answer, [](char c) { return c >= '0' && c <= '9'; });
      const std::string forms[] = {answer, answer + ".0", answer + "/1", "\\frac{" + answer + "}{1}"};
      if (!answer.empty()) examples[i].answer = forms[whole && std::string(grader) != "exact" ? i / 2 : 0];
      trials.examples[i] = trials.encoder.encode(examples[i]);
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

TEST(LongGeneration, Of512TokensGivesTheSameBitsUnderAnySetOfSwitches) {
  const test::TemporaryFolder folder;
  test::write_tiny_pool(folder / "pool", {.depth = 3, .context = 1024, .seed = 3});
  const test::LoadedPool model = test::load_pool(folder / "pool", pool::DType::kFloat32, pool::Kernels::kRows);
  core::Random random(3);
  Trials trials(*model.pool, *model.tokenizer, sums(512));
  for (int i = 0; i < 3; ++i) trials.add(random_sum(random, i));
  trials.programs = {Program::identity(3), Program{0, 1, 0, 1, 2}};
  const std::vector<Answer> plain = trials.run(model.pool, model.tokenizer, without_shortcuts(), StopRule::kFull);
  EXPECT_EQ(std::ranges::max(plain, {}, [](const Answer& one) { return one.tokens.size(); }).tokens.size(), 512U);
  for (int i = 0; i < 3; ++i) {
    const ExecOptions options = random_options(random);
    test::expect_equal_bits(trials.run(model.pool, model.tokenizer, options, StopRule::kFull), plain, text_of(options));
  }
}

/// Without shortcuts, with all, and with each alone left out, `others` being the settings that are no shortcuts.
void expect_the_same_bits_under_every_switch(const Model& model, Trials& trials, const ExecOptions& others = {}) {
  const auto run = [&](const ExecOptions& options) {
    return trials.run(model.pool, model.tokenizer, options, StopRule::kVerdict);
  };
  ExecOptions none = without_shortcuts();
  none.layer_rows = others.layer_rows;  // the library's bits depend on both
  none.tensor_states = others.tensor_states;
  const std::vector<Answer> plain = run(none);
  test::expect_equal_bits(run(others), plain, "every shortcut");
  for (bool ExecOptions::* shortcut :
       {&ExecOptions::prefix_sharing, &ExecOptions::layer_batching, &ExecOptions::draft_verification,
        &ExecOptions::shared_prompt, &ExecOptions::read_rows_only}) {
    ExecOptions options = others;
    options.*shortcut = false;
    test::expect_equal_bits(run(options), plain, text_of(options));
  }
}

/// Random layers as wide as SmolLM2-135M's: at these widths LibTorch may multiply few rows in another way than many,
/// and our kernels cut a call's rows into chunks. Ways: LibTorch's kernels, this processor's best, LibTorch's with
/// tensor states, and those on a GPU.
class RealWidths : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(RealWidths, GiveTheSameBitsUnderEverySwitchAndUnderAll) {
  const auto& [dtype, way] = GetParam();
  const bool on_gpu = way == "cuda";
  if (on_gpu && !torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device here, or a LibTorch without CUDA";
  const test::TemporaryFolder folder;
  test::write_tiny_pool(folder / "pool",
                        {.depth = 2, .hidden = 576, .heads = 9, .kv_heads = 3, .head_size = 64, .inner = 1536});
  const Model model = load_model(folder / "pool", dtype, way == "auto" ? "auto" : "library", on_gpu ? "cuda:0" : "cpu");
  Trials trials(*model.pool, *model.tokenizer, sums(3));
  core::Random random(5);
  for (int i = 0; i < 12; ++i) trials.add(random_sum(random, i));
  trials.programs = {Program::identity(2), Program{0, 0, 1}};
  const std::size_t shared = shared_prompt(trials.examples).size();
  std::size_t rows = 0;
  for (const EncodedExample& example : trials.examples) rows += example.prompt.size() - shared;
  ASSERT_GT(rows, 264U) << "must not fit into one chunk of row_gemm.cpp";

  ExecOptions options;
  options.tensor_states = way == "tensors" || on_gpu;
  options.workers = 1;  // so that no other takes rows away
  // LibTorch runs several full calls and smaller ones; probing which sizes give the same bits takes most of the time.
  // Ours run all rows in one call.
  options.layer_rows = model.pool->kernels() == pool::Kernels::kLibrary ? 128 : 1024;
  expect_the_same_bits_under_every_switch(model, trials, options);
}

INSTANTIATE_TEST_SUITE_P(Ways, RealWidths,
                         testing::Combine(testing::Values("float32", "bfloat16"),
                                          testing::Values("library", "auto", "tensors", "cuda")),
                         [](const auto& each) { return std::get<0>(each.param) + "_" + std::get<1>(each.param); });

class RealModel : public testing::TestWithParam<std::string> {};

TEST_P(RealModel, GivesTheSameBitsUnderEverySwitchAndUnderAnySet) {
  const char* asked = std::getenv("POLAR_TEST_POOL");
  const std::filesystem::path folder = asked != nullptr ? asked : POLAR_TEST_POOL_FOLDER;
  if (!std::filesystem::exists(folder / "pool.json"))
    GTEST_SKIP() << folder << " is not there: scripts/test.sh makes it; or set POLAR_TEST_POOL";
  const Model model = load_model(folder, GetParam());
  Trials trials(*model.pool, *model.tokenizer, sums(6));
  core::Random random(5);
  for (int i = 0; i < 5; ++i) trials.add(random_sum(random, i));
  trials.programs.push_back(Program::identity(model.pool->manifest().depth));
  for (int i = 0; i < 4; ++i) trials.programs.push_back(test::random_program(random, model.pool->manifest().depth));
  expect_the_same_bits_under_every_switch(model, trials);
  trials.examples.resize(2);
  const std::vector<Answer> plain = trials.run(model.pool, model.tokenizer, without_shortcuts(), StopRule::kFull);
  const ExecOptions options = random_options(random);
  test::expect_equal_bits(trials.run(model.pool, model.tokenizer, options, StopRule::kFull), plain, text_of(options));
}

INSTANTIATE_TEST_SUITE_P(Ways, RealModel, testing::Values("float32", "bfloat16"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace polar::exec
