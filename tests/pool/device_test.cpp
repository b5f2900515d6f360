#include "pool/device.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"
#include "pool/module_pool.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::pool {
namespace {

TEST(Device, KnowsTheNamesOfDevices) {
  for (const char* name : {"cpu", "cuda", "cuda:0", "cuda:12"}) EXPECT_TRUE(is_device_name(name)) << name;
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda0", "cuda:1234", "cpu:0", "CUDA"})
    EXPECT_FALSE(is_device_name(name)) << name;
}

TEST(Device, TakesTheProcessorEverywhere) {
  EXPECT_EQ(choose_device("cpu"), "cpu");
  EXPECT_EQ(device_fingerprint("cpu"), "");
}

TEST(Device, SaysWhatIsHereWhenItIsNot) {
  EXPECT_EQ(test::message_of<core::UsageError>([] { choose_device("gpu"); }),
            "exec.device: expected cpu, cuda or cuda:N, found 'gpu'");
  const std::string message = test::message_of<core::UsageError>([] { choose_device("cuda:99"); });
  if (torch::cuda::is_available()) {
    EXPECT_TRUE(message.starts_with("exec.device: expected cpu or cuda:0")) << message;
  } else {
    EXPECT_TRUE(message.starts_with("exec.device: expected cpu (")) << message;
    EXPECT_NE(message.find("CUDA"), std::string::npos) << message;
  }
}

TEST(Device, DecidesDtypeAndKernelsOfAGpu) {
  EXPECT_EQ(choose_dtype("auto", "cuda:0").dtype, DType::kBFloat16);
  EXPECT_EQ(choose_dtype("float32", "cuda:0").dtype, DType::kFloat32);
  EXPECT_EQ(choose_kernels("auto", DType::kBFloat16, "cuda:0"), Kernels::kLibrary);
  EXPECT_EQ(test::message_of<core::UsageError>([] { choose_kernels("tiles", DType::kBFloat16, "cuda:0"); }),
            "exec.kernels: expected auto or library on cuda:0 (polar's own run on the processor), found 'tiles'");
}

TEST(Device, HoldsAPoolAndRunsIt) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device here, or a LibTorch without CUDA";
  const test::TemporaryFolder folder;
  test::write_tiny_pool(folder / "pool");
  const std::string device = choose_device("cuda");
  const auto pool = test::load_pool(folder / "pool", DType::kFloat32, Kernels::kLibrary, device).pool;
  EXPECT_EQ(pool->device(), "cuda:0");
  EXPECT_NE(device_fingerprint(device), "");
  const auto on_cpu = test::load_pool(folder / "pool", DType::kFloat32).pool;
  const at::Tensor tokens = at::arange(5, at::kLong);
  const at::Tensor hidden = pool->embed(tokens);
  EXPECT_TRUE(hidden.is_cuda());
  const auto q = std::get<0>(pool->attend_in(1, hidden, tokens)),
             expected = std::get<0>(on_cpu->attend_in(1, on_cpu->embed(tokens), tokens));
  EXPECT_TRUE(at::allclose(q.cpu(), expected, 1e-4, 1e-4));
}

}  // namespace
}  // namespace polar::pool
