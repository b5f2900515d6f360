#pragma once
// The loss of layer routers (method.md 5): focal loss (Lin et al., arXiv 1708.02002) with class weights. With
// probabilities p = softmax(logits), label c and weight w_c:
//
//   L = −w_c · (1 − p_c)^γ · ln p_c
//
// γ = 0 is weighted cross-entropy; a larger γ counts layers less that are decided rightly already.

#include <span>

namespace at {
class Tensor;
}

namespace polar::predict {

/// For one layer's logits. γ is 0 or ≥ 1: between them the gradient has a pole at p_c = 1.
double focal_loss(std::span<const float> logits, int label, double weight, double gamma);

/// The same for a batch, differentiable: logits float32 [B, C], labels int64 [B], weights float32 [C] → [B].
at::Tensor batch_focal_loss(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& weights,
                            double gamma);

}  // namespace polar::predict
