#include "pool/row_gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <type_traits>
#include <vector>

#include "core/seed.h"
#include "pool/thread_team.h"

namespace polar::pool {
namespace {

float as_float(float value) {
  return value;
}
float as_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <typename Element>
Element element(double value) {
  if constexpr (std::is_same_v<Element, float>) {
    return static_cast<float>(value);
  } else {
    return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16);
  }
}

template <typename E, PackedFormat kOf>
struct Packing {
  using Element = E;
  static constexpr PackedFormat kFormat = kOf;
};

template <typename Way>
class RowGemmTest : public testing::Test {
 protected:
  using Element = typename Way::Element;
  static constexpr bool kHalf = sizeof(Element) == 2;

  void SetUp() override {
    if (Way::kFormat == PackedFormat::kTiles && !has_tiles()) GTEST_SKIP() << "this processor has no tiles";
    if (Way::kFormat == PackedFormat::kPairs && !has_pairs()) GTEST_SKIP() << "this processor has no AVX512-BF16";
  }

  static constexpr double kTolerance = kHalf ? 0.02 : 1e-5;

  std::vector<Element> random(std::size_t count) {
    std::vector<Element> values(count);
    for (Element& value : values) value = element<Element>(random_.uniform() * 2 - 1);
    return values;
  }

  PackedMatrix packed(const std::vector<Element>& weight, int outputs, int inputs, bool gated = false) {
    const std::size_t bytes = (packed_elements(outputs, inputs, Way::kFormat) * sizeof(Element) + 63) / 64 * 64;
    panels_.reset(static_cast<Element*>(std::aligned_alloc(64, bytes)));
    pack(weight.data(), outputs, inputs, gated, Way::kFormat, panels_.get());
    return {panels_.get(), Way::kFormat, inputs, outputs};
  }

  static double dot(const Element* row, const Element* column, int inputs) {
    double sum = 0;
    for (int k = 0; k < inputs; ++k)
      sum += static_cast<double>(as_float(row[k])) * static_cast<double>(as_float(column[k]));
    return sum;
  }

  struct Free {
    void operator()(Element* data) const { std::free(data); }
  };
  core::Random random_{7};
  std::unique_ptr<Element, Free> panels_;
};

using Ways = testing::Types<Packing<float, PackedFormat::kFloat32>, Packing<std::uint16_t, PackedFormat::kBFloat16>,
                            Packing<std::uint16_t, PackedFormat::kPairs>, Packing<std::uint16_t, PackedFormat::kTiles>>;
TYPED_TEST_SUITE(RowGemmTest, Ways, );

TYPED_TEST(RowGemmTest, MultipliesAndAddsBiasAndResidual) {
  for (const auto& [outputs, inputs] : {std::pair{1, 3}, {32, 16}, {45, 31}, {96, 70}, {64, 640}}) {
    constexpr int kRows = 29;
    const auto weight = this->random(static_cast<std::size_t>(outputs * inputs));
    const auto rows = this->random(static_cast<std::size_t>(kRows * inputs));
    const auto bias = this->random(static_cast<std::size_t>(outputs));
    const auto residual = this->random(static_cast<std::size_t>(kRows * outputs));
    std::vector<typename TypeParam::Element> out(residual.size());
    multiply(rows.data(), this->kHalf, kRows, this->packed(weight, outputs, inputs),
             {bias.data(), residual.data(), out.data()});
    for (int row = 0; row < kRows; ++row) {
      for (int column = 0; column < outputs; ++column) {
        const auto at = static_cast<std::size_t>(row * outputs + column);
        const double expected = this->dot(&rows[static_cast<std::size_t>(row * inputs)],
                                          &weight[static_cast<std::size_t>(column * inputs)], inputs) +
                                static_cast<double>(as_float(bias[static_cast<std::size_t>(column)])) +
                                static_cast<double>(as_float(residual[at]));
        EXPECT_NEAR(static_cast<double>(as_float(out[at])), expected, this->kTolerance * (1 + std::fabs(expected)));
      }
    }
  }
}

TYPED_TEST(RowGemmTest, GivesARowTheSameBitsWhateverTheNumberOfRows) {
  constexpr int kOutputs = 70, kInputs = 1000, kRows = 450;  // several chunks of rows and blocks of inputs
  const auto weight = this->random(kOutputs * kInputs);
  const auto rows = this->random(kRows * kInputs);
  const PackedMatrix matrix = this->packed(weight, kOutputs, kInputs);
  std::vector<typename TypeParam::Element> expected(kRows * kOutputs);
  multiply(rows.data(), this->kHalf, kRows, matrix, {nullptr, nullptr, expected.data()});
  for (int count : {1, 2, 3, 5, 11, 12, 13, 16, 17, 23, 24, 32, 33, 47, 263, 264, 265, 449}) {
    std::vector<typename TypeParam::Element> out(static_cast<std::size_t>(count * kOutputs));
    for (int start : {0, kRows - count}) {
      multiply(&rows[static_cast<std::size_t>(start * kInputs)], this->kHalf, count, matrix,
               {nullptr, nullptr, out.data()});
      const auto* from = &expected[static_cast<std::size_t>(start * kOutputs)];
      EXPECT_TRUE(std::equal(out.begin(), out.end(), from)) << count << " rows from " << start;
    }
  }
}

TYPED_TEST(RowGemmTest, GivesTheSameBitsToATeamOfAnySize) {
  constexpr int kOutputs = 200, kInputs = 33, kRows = 31;
  const auto weight = this->random(kOutputs * kInputs);
  const auto rows = this->random(kRows * kInputs);
  const PackedMatrix matrix = this->packed(weight, kOutputs, kInputs);
  std::vector<typename TypeParam::Element> alone(kRows * kOutputs), shared(kRows * kOutputs);
  multiply(rows.data(), this->kHalf, kRows, matrix, {nullptr, nullptr, alone.data()});
  for (int size : {2, 3, 9}) {
    ThreadTeam team(size);
    set_thread_team(&team);
    std::fill(shared.begin(), shared.end(), typename TypeParam::Element{});
    multiply(rows.data(), this->kHalf, kRows, matrix, {nullptr, nullptr, shared.data()});
    set_thread_team(nullptr);
    EXPECT_EQ(alone, shared) << size;
  }
}

TYPED_TEST(RowGemmTest, GatesOneHalfOfTheOutputsWithTheOther) {
  constexpr int kHalfOutputs = 48, kInputs = 40, kRows = 26;
  const auto weight = this->random(2 * kHalfOutputs * kInputs);
  const auto rows = this->random(kRows * kInputs);
  std::vector<typename TypeParam::Element> out(kRows * kHalfOutputs);
  multiply_gated(rows.data(), this->kHalf, kRows, this->packed(weight, 2 * kHalfOutputs, kInputs, true), out.data());
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kHalfOutputs; ++column) {
      const auto* x = &rows[static_cast<std::size_t>(row * kInputs)];
      const double gate = this->dot(x, &weight[static_cast<std::size_t>(column * kInputs)], kInputs);
      const double up = this->dot(x, &weight[static_cast<std::size_t>((column + kHalfOutputs) * kInputs)], kInputs);
      const double expected = gate / (1 + std::exp(-gate)) * up;
      EXPECT_NEAR(static_cast<double>(as_float(out[static_cast<std::size_t>(row * kHalfOutputs + column)])), expected,
                  this->kTolerance * (1 + std::fabs(expected)));
    }
  }
}

}  // namespace
}  // namespace polar::pool
