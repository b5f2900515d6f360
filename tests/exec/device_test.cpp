// Tensor states on the CPU, which every machine has, and on a GPU where there is one.

#include "pool/device.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "exec/executor.h"
#include "support/executor_checks.h"
#include "support/executor_trials.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::exec {
namespace {

using core::Program;

class DeviceTest : public testing::TestWithParam<const char*> {
 protected:
  static constexpr int kDepth = 6;

  void SetUp() override {
    if (std::string(GetParam()) != "cpu" && !torch::cuda::is_available())
      GTEST_SKIP() << "no CUDA device here, or a LibTorch without CUDA";
    test::write_tiny_pool(folder_ / "pool", {.depth = kDepth});
    host_ = test::load_pool(folder_ / "pool", pool::DType::kFloat32);
    device_ = test::load_pool(folder_ / "pool", pool::DType::kFloat32, pool::Kernels::kLibrary, GetParam());
    trials_ = std::make_unique<test::Trials>(*host_.pool, *host_.tokenizer, test::sums(8));
    for (int i = 0; i < 6; ++i) trials_->add(test::random_sum(random_, i));
    for (int i = 0; i < 12; ++i) trials_->programs.push_back(test::random_program(random_, kDepth));
    trials_->programs.push_back(Program::identity(kDepth));
  }

  std::vector<Answer> on_device(ExecOptions options, StopRule stop) {
    options.tensor_states = true;
    return trials_->run(device_.pool, device_.tokenizer, options, stop);
  }

  test::TemporaryFolder folder_;
  test::LoadedPool host_, device_;
  core::Random random_{5};
  std::unique_ptr<test::Trials> trials_;
};

TEST_P(DeviceTest, AgreesWithTheHost) {
  for (CacheSemantics semantics : {CacheSemantics::kPerStep, CacheSemantics::kSharedSlot}) {
    ExecOptions options;
    options.cache_semantics = semantics;
    const std::vector<Answer> expected = trials_->run(host_.pool, host_.tokenizer, options, StopRule::kFull);
    const std::vector<Answer> found = on_device(options, StopRule::kFull);
    ASSERT_EQ(expected.size(), found.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(expected[i].tokens, found[i].tokens) << i;
      EXPECT_NEAR(expected[i].answer_log_prob, found[i].answer_log_prob, 1e-3) << i;
      EXPECT_NEAR(expected[i].margin, found[i].margin, 1e-3) << i;
      EXPECT_NEAR(expected[i].confidence, found[i].confidence, 1e-4) << i;
    }
  }
}

TEST_P(DeviceTest, GivesTheSameBitsUnderAnySetOfSwitches) {
  for (CacheSemantics semantics : {CacheSemantics::kPerStep, CacheSemantics::kSharedSlot}) {
    ExecOptions plain = test::without_shortcuts();
    plain.layer_rows = 64;
    plain.cache_semantics = semantics;
    const std::vector<Answer> expected = on_device(plain, StopRule::kVerdict);
    for (int i = 0; i < 6; ++i) {
      ExecOptions options = test::random_options(random_);
      options.layer_rows = 64;  // R is part of the fingerprint where LibTorch multiplies
      options.cache_semantics = semantics;
      test::expect_equal_bits(on_device(options, StopRule::kVerdict), expected, test::text_of(options));
    }
  }
}

TEST_P(DeviceTest, GivesTheStatesOfTheHost) {
  std::vector<const EncodedExample*> examples;
  for (const EncodedExample& example : trials_->examples) examples.push_back(&example);
  ExecOptions tensors;
  tensors.tensor_states = true;
  const auto expected = Executor(host_.pool, host_.tokenizer, {}).states(examples, {0, 1});
  const auto found = Executor(device_.pool, device_.tokenizer, tensors).states(examples, {0, 1});
  for (std::size_t i = 0; i < examples.size(); ++i) {
    ASSERT_EQ(expected[i].values.size(), found[i].values.size());
    EXPECT_TRUE(at::allclose(at::tensor(expected[i].values), at::tensor(found[i].values), 1e-4, 1e-4)) << i;
  }
}

TEST_P(DeviceTest, NamesItsWayInTheFingerprint) {
  ExecOptions tensors;
  tensors.tensor_states = true;
  const Executor executor(device_.pool, device_.tokenizer, tensors);
  EXPECT_NE(executor.fingerprint(), Executor(host_.pool, host_.tokenizer, {}).fingerprint());
  EXPECT_NE(executor.fingerprint().find(pool::device_fingerprint(GetParam())), std::string::npos);
  if (std::string(GetParam()) != "cpu") {
    EXPECT_EQ(executor.options().workers, 1);
    EXPECT_GT(executor.options().layer_rows, 256);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceTest, testing::Values("cpu", "cuda:0"),
                         [](const auto& each) { return std::string(each.param) == "cpu" ? "tensors_on_cpu" : "cuda"; });

}  // namespace
}  // namespace polar::exec
