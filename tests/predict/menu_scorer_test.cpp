#include "predict/menu_scorer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "core/seed.h"
#include "predict/tensor_bytes.h"

namespace polar::predict {
namespace {

/// Arbitrary features [n, 3] and outcomes [n, 2] in [0, 1].
struct Arbitrary {
  Matrix x, y;
  explicit Arbitrary(int n) : x(n, 3), y(n, 2) {
    core::Random random(17);
    for (double& value : x.values) value = 4 * random.uniform() - 1;
    for (double& value : y.values) value = random.uniform();
  }
};

torch::Tensor tensor(const Matrix& m) {
  return torch::tensor(m.values, torch::kFloat64).reshape({m.rows, m.cols});
}

/// Standardised as the scorer does.
torch::Tensor standardised(const Matrix& m) {
  const auto x = tensor(m);
  return (x - x.mean(0)) / (x - x.mean(0)).square().mean(0).sqrt();
}

/// Indices of the rows of other groups than this row's.
torch::Tensor rows_outside(const std::vector<int>& groups, int row) {
  std::vector<std::int64_t> others;
  for (std::size_t other = 0; other < groups.size(); ++other) {
    if (groups[other] != groups[static_cast<std::size_t>(row)]) others.push_back(static_cast<std::int64_t>(other));
  }
  return torch::tensor(others);
}

TEST(MenuScorer, RidgeEqualsTheClosedFormByHand) {
  // x = 1, 3 standardises to −1, 1; y = 0, 1 has mean ½. w = Σ x y / (Σ x² + α) = 1 / (2 + 2), so scores are ½ ± ¼.
  const auto x = Matrix::from_rows({{1, 7}, {3, 7}});  // the second feature is constant and has no say
  const auto y = Matrix::from_rows({{0, 1}, {1, 1}});
  const auto scorer = MenuScorer::fit(x, y, {ScorerKind::kRidge, 2, 1});
  const auto scores = scorer.score(Matrix::from_rows({{1, 7}, {3, 7}, {5, 0}}));
  EXPECT_NEAR(scores.at(0, 0), 0.25, 1e-12);
  EXPECT_NEAR(scores.at(1, 0), 0.75, 1e-12);
  EXPECT_NEAR(scores.at(2, 0), 1.25, 1e-12);
  for (int row = 0; row < 3; ++row) EXPECT_NEAR(scores.at(row, 1), 1, 1e-12);
}

TEST(MenuScorer, DualRidgeEqualsTheNormalEquations) {
  const Arbitrary data(12);
  const auto x = standardised(data.x), y = tensor(data.y);
  const auto w =
      torch::linalg_solve(x.t().matmul(x) + 0.7 * torch::eye(3, torch::kFloat64), x.t().matmul(y - y.mean(0)));
  const auto expected = x.matmul(w) + y.mean(0);
  const auto scores = MenuScorer::fit(data.x, data.y, {ScorerKind::kRidge, 0.7, 1}).score(data.x);
  EXPECT_LT((tensor(scores) - expected).abs().max().item<double>(), 1e-10);
}

TEST(MenuScorer, KernelRidgeInterpolatesWithoutPenaltyAndFallsToTheMeanWithMuch) {
  const Arbitrary data(10);
  const auto exact = MenuScorer::fit(data.x, data.y, {ScorerKind::kKernelRidge, 1e-9, 0.7}).score(data.x);
  const auto flat = MenuScorer::fit(data.x, data.y, {ScorerKind::kKernelRidge, 1e9, 0.7}).score(data.x);
  EXPECT_LT((tensor(exact) - tensor(data.y)).abs().max().item<double>(), 1e-5);
  EXPECT_LT((tensor(flat) - tensor(data.y).mean(0)).abs().max().item<double>(), 1e-6);
}

TEST(MenuScorer, ABandwidthIsTheMedianDistance) {
  // Standardised inputs −1, 1: distance 2, one pair. Kernel off the diagonal e^(−4/8) = q. H K H = (1 − q)/2 [1 −1; −1
  // 1], so coef = ∓½ / (1 − q + α) and a score at the first input is ½ − ½ (1 − q) / (1 − q + α).
  const auto x = Matrix::from_rows({{0}, {4}}), y = Matrix::from_rows({{0}, {1}});
  // Of the Laplacian kernel q = e^(−2/2), and e^(−2/4) at twice the width.
  for (const auto& [options, q] : {std::pair{ScorerOptions{ScorerKind::kKernelRidge, 0.3, 1}, std::exp(-0.5)},
                                   std::pair{ScorerOptions{ScorerKind::kLaplaceRidge, 0.3, 1}, std::exp(-1.0)},
                                   std::pair{ScorerOptions{ScorerKind::kLaplaceRidge, 0.3, 2}, std::exp(-0.5)}}) {
    const auto scores = MenuScorer::fit(x, y, options).score(x);
    EXPECT_NEAR(scores.at(0, 0), 0.5 - 0.5 * (1 - q) / (1 - q + 0.3), 1e-12);
    EXPECT_NEAR(scores.at(1, 0), 0.5 + 0.5 * (1 - q) / (1 - q + 0.3), 1e-12);
  }
}

TEST(MenuScorer, LeaveGroupsOutEqualsFitsWithoutEachGroup) {
  const Arbitrary data(9);
  const std::vector<int> groups = {4, 7, 4, 1, 7, 7, 2, 3, 0};
  const auto left_out = MenuScorer::leave_groups_out(data.x, data.y, groups, {ScorerKind::kRidge, 0.7, 1});
  const auto x = standardised(data.x), y = tensor(data.y);
  for (int row = 0; row < 9; ++row) {
    const auto rest = rows_outside(groups, row);
    const auto xr = x.index_select(0, rest), yr = y.index_select(0, rest);
    const auto xc = xr - xr.mean(0);
    const auto w =
        torch::linalg_solve(xc.t().matmul(xc) + 0.7 * torch::eye(3, torch::kFloat64), xc.t().matmul(yr - yr.mean(0)));
    const auto expected = (x[row] - xr.mean(0)).matmul(w) + yr.mean(0);
    for (int col = 0; col < 2; ++col) EXPECT_NEAR(left_out.at(row, col), expected[col].item<double>(), 1e-9);
  }
}

TEST(MenuScorer, LeaveGroupsOutOfAKernelEqualsFitsWithoutEachGroup) {
  const Arbitrary data(9);
  const std::vector<int> groups = {4, 7, 4, 1, 7, 7, 2, 3, 0};
  const auto x = standardised(data.x), y = tensor(data.y);
  const double width =
      1.5 * torch::pdist(x).median().item<double>();  // standardisation and width are those of all rows
  const auto kernel = torch::exp(-(x.unsqueeze(1) - x.unsqueeze(0)).norm(2, -1) / width);
  const auto left_out = MenuScorer::leave_groups_out(data.x, data.y, groups, {ScorerKind::kLaplaceRidge, 0.3, 1.5});
  for (int row = 0; row < 9; ++row) {
    const auto rest = rows_outside(groups, row);
    const auto count = rest.size(0);
    const auto k = kernel.index_select(0, rest).index_select(1, rest), yr = y.index_select(0, rest);
    const auto centre = torch::eye(count, torch::kFloat64) - 1.0 / static_cast<double>(count);
    const auto coefficients = torch::linalg_solve(
        centre.matmul(k).matmul(centre) + 0.3 * torch::eye(count, torch::kFloat64), yr - yr.mean(0));
    const auto expected = yr.mean(0) + (kernel[row].index_select(0, rest) - k.mean(0)).matmul(coefficients);
    for (int col = 0; col < 2; ++col) EXPECT_NEAR(left_out.at(row, col), expected[col].item<double>(), 1e-8);
  }
}

TEST(MenuScorer, LogisticMeetsItsOptimalityConditions) {
  const Arbitrary data(30);
  const double strength = 0.5;
  const auto scorer = MenuScorer::fit(data.x, data.y, {ScorerKind::kLogistic, strength, 1});
  const auto p = tensor(scorer.score(data.x)), y = tensor(data.y), x = standardised(data.x);
  // Gradient of the intercept is zero: mean prediction = mean outcome. Gradient of w: Xᵀ(p − y) + α w = 0.
  EXPECT_LT((p.mean(0) - y.mean(0)).abs().max().item<double>(), 1e-5);
  const auto w = torch::linalg_solve(x.t().matmul(x), x.t().matmul(torch::logit(p)));
  EXPECT_LT((x.t().matmul(p - y) + strength * w).abs().max().item<double>(), 1e-4);
}

TEST(MenuScorer, LogisticLearnsASeparableTask) {
  Matrix x(20, 1), y(20, 1);
  for (int i = 0; i < 20; ++i) {
    x.at(i, 0) = i;
    y.at(i, 0) = i >= 10 ? 1 : 0;
  }
  const auto scores = MenuScorer::fit(x, y, {ScorerKind::kLogistic, 0.01, 1}).score(x);
  EXPECT_LT(scores.at(5, 0), 0.05);
  EXPECT_GT(scores.at(15, 0), 0.95);
}

TEST(MenuScorer, NetworkLearnsWhatNoLinearModelCanAndTheSameWheneverFitted) {
  const Matrix x = Matrix::from_rows({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const Matrix y =
      Matrix::from_rows({{0, 1}, {1, 0}, {1, 0}, {0, 1}});  // one of the two inputs, not both; and not that
  const auto scorer = MenuScorer::fit(x, y, {ScorerKind::kNetwork, 1e-3, 1});
  const Matrix scores = scorer.score(x);
  for (int row = 0; row < 4; ++row) {
    for (int program = 0; program < 2; ++program)
      EXPECT_NEAR(scores.at(row, program), y.at(row, program), 0.1) << row << " " << program;
  }
  EXPECT_EQ(MenuScorer::fit(x, y, {ScorerKind::kNetwork, 1e-3, 1}).score(x).values, scores.values);
  EXPECT_NE(MenuScorer::fit(x, y, {ScorerKind::kNetwork, 1e-3, 1, 2}).score(x).values, scores.values);
  EXPECT_NEAR(MenuScorer::fit(x, y, {ScorerKind::kLogistic, 1e-3, 1}).score(x).at(0, 0), 0.5, 0.01);
  const Matrix held = MenuScorer::fit(x, y, {ScorerKind::kNetwork, 1e6, 1}).score(x);
  for (const double score : held.values) EXPECT_NEAR(score, 0.5, 1e-3) << "all weights held at 0 leave the mean";
}

TEST(MenuScorer, SavedAndLoadedScoresAreEqual) {
  const Arbitrary data(8);
  for (ScorerKind kind : {ScorerKind::kRidge, ScorerKind::kKernelRidge, ScorerKind::kLaplaceRidge,
                          ScorerKind::kLogistic, ScorerKind::kNetwork}) {
    const ScorerOptions options{kind, 0.5, 1.3};
    const auto scorer = MenuScorer::fit(data.x, data.y, options);
    const auto loaded = MenuScorer::load(scorer.save(), options);
    EXPECT_EQ(loaded.score(data.x).values, scorer.score(data.x).values);
    EXPECT_EQ(loaded.inputs(), 3);
    EXPECT_EQ(loaded.outputs(), 2);
    EXPECT_EQ(scorer_kind(to_string(kind)), kind);
  }
}

TEST(MenuScorer, LoadsWhatAVersionWithoutNetworksSaved) {
  const Arbitrary data(8);
  const ScorerOptions options{ScorerKind::kLogistic, 1, 1};
  const MenuScorer scorer = MenuScorer::fit(data.x, data.y, options);
  auto tensors = tensors_from_bytes(scorer.save(), "menu scorer");
  ASSERT_EQ(tensors.size(), 8U);
  tensors.resize(6);
  EXPECT_EQ(MenuScorer::load(tensors_to_bytes(tensors), options).score(data.x).values, scorer.score(data.x).values);
}

TEST(MenuScorer, RefusesDamagedBytesAndAnotherKind) {
  const Arbitrary data(8);
  const std::string bytes = MenuScorer::fit(data.x, data.y, {ScorerKind::kRidge, 1, 1}).save();
  EXPECT_THROW(MenuScorer::load(bytes, {ScorerKind::kKernelRidge, 1, 1}), core::Error);
  EXPECT_THROW(MenuScorer::load(bytes.substr(0, bytes.size() / 2), {ScorerKind::kRidge, 1, 1}), core::Error);
}

TEST(MenuScorer, RefusesWhatItCannotFit) {
  const Arbitrary data(8);
  EXPECT_THROW(MenuScorer::fit(data.x, data.y, {ScorerKind::kRidge, 0, 1}), core::UsageError);
  EXPECT_THROW(MenuScorer::fit(data.x, data.y, {ScorerKind::kKernelRidge, 1, 0}), core::UsageError);
  const std::vector<int> apart = {0, 1, 2, 3, 4, 5, 6, 7}, one(8, 0);
  EXPECT_THROW(MenuScorer::leave_groups_out(data.x, data.y, apart, {ScorerKind::kLogistic, 1, 1}), core::UsageError);
  EXPECT_THROW(MenuScorer::leave_groups_out(data.x, data.y, one, {ScorerKind::kRidge, 1, 1}), core::Error);
  EXPECT_THROW(scorer_kind("forest"), core::UsageError);
  EXPECT_THROW(MenuScorer::fit(data.x, Matrix(7, 2), {}), core::Error);
  EXPECT_THROW(MenuScorer::fit(Matrix(8, 3, 1.0), data.y, {ScorerKind::kKernelRidge, 1, 1}), core::Error);
  Matrix beyond = data.y;
  beyond.at(0, 0) = 1.5;
  EXPECT_THROW(MenuScorer::fit(data.x, beyond, {ScorerKind::kLogistic, 1, 1}), core::Error);
  beyond.at(0, 0) = std::nan("");
  EXPECT_THROW(MenuScorer::fit(data.x, beyond, {}), core::Error);
  EXPECT_THROW(MenuScorer::fit(data.x, data.y, {}).score(Matrix(1, 2)), core::Error);
  EXPECT_THROW(Matrix::from_rows({{1, 2}, {3}}), core::Error);
}

}  // namespace
}  // namespace polar::predict
