#include "predict/router_loss.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <vector>

namespace polar::predict {
namespace {

TEST(FocalLoss, IsAsComputedByHand) {
  const std::vector<float> logits{0, std::log(3.0F)};  // probabilities 1/4 and 3/4
  EXPECT_NEAR(focal_loss(logits, 1, 2, 2), -2 * 0.0625 * std::log(0.75), 1e-6);
  EXPECT_NEAR(focal_loss(logits, 0, 1, 2), -0.5625 * std::log(0.25), 1e-6);
  EXPECT_NEAR(focal_loss(logits, 0, 1, 1), -0.75 * std::log(0.25), 1e-6);
  EXPECT_NEAR(focal_loss(logits, 0, 3, 0), -3 * std::log(0.25), 1e-6) << "weighted cross-entropy";
}

TEST(FocalLoss, OfABatchIsThatOfEachRow) {
  const auto logits = torch::tensor({{0.5F, -1.0F, 2.0F}, {1.0F, 0.0F, 0.0F}});
  const auto losses =
      batch_focal_loss(logits, torch::tensor({2, 1}, torch::kInt64), torch::tensor({1.0F, 2.0F, 3.0F}), 2);
  EXPECT_NEAR(losses[0].item<double>(), focal_loss(std::vector<float>{0.5F, -1, 2}, 2, 3, 2), 1e-6);
  EXPECT_NEAR(losses[1].item<double>(), focal_loss(std::vector<float>{1, 0, 0}, 1, 2, 2), 1e-6);
}

TEST(FocalLoss, HasFiniteGradientsWhereTheChoiceIsCertain) {
  for (const double gamma : {0.0, 1.0, 2.0}) {
    auto logits = torch::tensor({{200.0F, 0.0F}, {-200.0F, 0.0F}}).requires_grad_();
    batch_focal_loss(logits, torch::tensor({0, 0}, torch::kInt64), torch::ones({2}), gamma).sum().backward();
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>()) << gamma;
  }
}

}  // namespace
}  // namespace polar::predict
