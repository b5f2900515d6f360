#include "pool/row_operators.h"

#include <gtest/gtest.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/script.h>

#include "pool/large_pages.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::pool {
namespace {

/// Type of the rows, and the format of packed bfloat16 weights.
using Way = std::pair<DType, PackedFormat>;

class RowOperatorsTest : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (GetParam().second == PackedFormat::kTiles && !has_tiles()) GTEST_SKIP() << "this processor has no tiles";
    if (GetParam().second == PackedFormat::kPairs && !has_pairs()) GTEST_SKIP() << "this processor has no AVX512-BF16";
    test::write_tiny_pool(folder_ / "pool", {.depth = 2});
    at::manual_seed(5);
  }

  at::ScalarType type() const { return GetParam().first == DType::kBFloat16 ? at::kBFloat16 : at::kFloat; }

  torch::jit::Module frozen(const std::string& file, const std::vector<std::string>& methods) {
    torch::jit::Module module = torch::jit::load((folder_ / "pool" / file).string());
    module.eval();
    module.to(type());
    return torch::jit::freeze_module(module, methods);
  }

  void expect_close(const at::Tensor& a, const at::Tensor& b) const {
    const double tolerance = type() == at::kFloat ? 1e-4 : 0.05;
    EXPECT_TRUE(at::allclose(a.to(at::kFloat), b.to(at::kFloat), tolerance, tolerance))
        << (a.to(at::kFloat) - b.to(at::kFloat)).abs().max().item<float>();
  }

  test::TemporaryFolder folder_;
  LargePages memory_;
};

TEST_P(RowOperatorsTest, ReplaceEveryStepOfALayerAndAgreeWithThePlainGraph) {
  const c10::InferenceMode inference;
  const std::vector<std::string> methods = {"attend_in", "attend_out"};
  torch::jit::Module plain = frozen("layer_000.ts", methods), fast = frozen("layer_000.ts", methods);
  const Rewrites done = use_row_operators(fast, methods, GetParam().second, memory_);
  EXPECT_EQ(done.linear, 3);  // qkv, out, down
  EXPECT_EQ(done.gated, 1);
  EXPECT_EQ(done.rms_norm, 2);
  EXPECT_EQ(done.rotary, 1);
  EXPECT_EQ(done.plain_linear, 0);
  const at::Tensor hidden = at::randn({37, 32}).to(type());
  const at::Tensor positions = at::arange(3, 40, at::kLong);
  const auto expected = plain.get_method("attend_in")({hidden, positions}).toTuple();
  const auto found = fast.get_method("attend_in")({hidden, positions}).toTuple();
  for (std::size_t part = 0; part < 3; ++part)
    expect_close(found->elements()[part].toTensor(), expected->elements()[part].toTensor());
  const at::Tensor attention = expected->elements()[0].toTensor().reshape({37, -1});
  expect_close(fast.get_method("attend_out")({hidden, attention}).toTensor(),
               plain.get_method("attend_out")({hidden, attention}).toTensor());
}

TEST_P(RowOperatorsTest, LeaveWhatTheyDoNotKnow) {
  const c10::InferenceMode inference;
  torch::jit::Module module("Other");
  module.register_buffer("weight", at::randn({8, 8}));
  module.define(R"(
def forward(self, x: Tensor, other: Tensor) -> Tensor:
    gate, up = torch.chunk(torch.linear(x, self.weight), 2, -1)
    return torch.linear(torch.cat((torch.silu(gate) * up, gate), -1), other)
)");
  module.eval();
  module.to(type());
  torch::jit::Module plain = torch::jit::freeze_module(module, std::vector<std::string>{"forward"});
  torch::jit::Module fast = plain.deepcopy();
  const Rewrites done = use_row_operators(fast, {"forward"}, GetParam().second, memory_);
  EXPECT_EQ(done.gated, 0);  // the gate is read twice
  EXPECT_EQ(done.linear, 1);
  EXPECT_EQ(done.plain_linear, 1);  // its weight comes with the call
  const at::Tensor x = at::randn({5, 8}).to(type()), other = at::randn({3, 8}).to(type());
  expect_close(fast.forward({x, other}).toTensor(), plain.forward({x, other}).toTensor());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RowOperatorsTest,
    testing::Values(Way{DType::kFloat32, PackedFormat::kBFloat16}, Way{DType::kBFloat16, PackedFormat::kBFloat16},
                    Way{DType::kBFloat16, PackedFormat::kPairs}, Way{DType::kBFloat16, PackedFormat::kTiles}),
    [](const auto& each) {
      const PackedFormat format = each.param.second;
      const char* of = format == PackedFormat::kTiles ? "_tiles" : format == PackedFormat::kPairs ? "_pairs" : "";
      return std::string(to_string(each.param.first)) + of;
    });

}  // namespace
}  // namespace polar::pool
