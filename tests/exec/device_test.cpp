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

/// Where states lie, and their type.
using Place = std::pair<const char*, pool::DType>;

class DeviceTest : public testing::TestWithParam<Place> {
 protected:
  static constexpr int kDepth = 6;

  void SetUp() override {
    if (!on_cpu() && !torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device here, or a LibTorch without CUDA";
    test::write_tiny_pool(folder_ / "pool", {.depth = kDepth});
    host_ = test::load_pool(folder_ / "pool", dtype());
    device_ = test::load_pool(folder_ / "pool", dtype(), pool::Kernels::kLibrary, GetParam().first);
    trials_ = std::make_unique<test::Trials>(*host_.pool, *host_.tokenizer, test::sums(8));
    for (int i = 0; i < 6; ++i) trials_->add(test::random_sum(random_, i));
    for (int i = 0; i < 12; ++i) trials_->programs.push_back(test::random_program(random_, kDepth));
    trials_->programs.push_back(Program::identity(kDepth));
  }

  static bool on_cpu() { return std::string(GetParam().first) == "cpu"; }
  static pool::DType dtype() { return GetParam().second; }

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
  if (dtype() != pool::DType::kFloat32) GTEST_SKIP() << "tokens of random models part where bfloat16 rounds otherwise";
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
  const double tolerance = dtype() == pool::DType::kFloat32 ? 1e-4 : 0.05;
  const std::vector<EncodedExample>& examples = trials_->examples;
  ExecOptions tensors;
  tensors.tensor_states = true;
  const auto expected = Executor(host_.pool, host_.tokenizer, {}).states(examples, {0, 1});
  const auto found = Executor(device_.pool, device_.tokenizer, tensors).states(examples, {0, 1});
  for (std::size_t i = 0; i < examples.size(); ++i) {
    ASSERT_EQ(expected[i].values.size(), found[i].values.size());
    EXPECT_TRUE(at::allclose(at::tensor(expected[i].values), at::tensor(found[i].values), tolerance, tolerance)) << i;
  }
}

TEST_P(DeviceTest, NamesItsWayInTheFingerprint) {
  ExecOptions tensors;
  tensors.tensor_states = true;
  const Executor executor(device_.pool, device_.tokenizer, tensors);
  EXPECT_NE(executor.fingerprint(), Executor(host_.pool, host_.tokenizer, {}).fingerprint());
  EXPECT_NE(executor.fingerprint().find(pool::device_fingerprint(GetParam().first)), std::string::npos);
  if (!on_cpu()) {
    EXPECT_EQ(executor.options().workers, 1);
    EXPECT_GT(executor.options().layer_rows, 256);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceTest,
                         testing::Values(Place{"cpu", pool::DType::kFloat32}, Place{"cpu", pool::DType::kBFloat16},
                                         Place{"cuda:0", pool::DType::kFloat32},
                                         Place{"cuda:0", pool::DType::kBFloat16}),
                         [](const auto& each) {
                           return std::string(std::string(each.param.first) == "cpu" ? "tensors_on_cpu_" : "cuda_") +
                                  pool::to_string(each.param.second);
                         });

}  // namespace
}  // namespace polar::exec
