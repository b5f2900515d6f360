#include "predict/router_loss.h"

#include <torch/torch.h>

#include <algorithm>

namespace polar::predict {

at::Tensor batch_focal_loss(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& weights,
                            double gamma) {
  const auto log_p = torch::log_softmax(logits, -1).gather(1, labels.unsqueeze(1)).squeeze(1);
  return -weights.index_select(0, labels) * (-torch::expm1(log_p)).pow(gamma) * log_p;
}

double focal_loss(std::span<const float> logits, int label, double weight, double gamma) {
  const torch::NoGradGuard no_grad;
  const auto classes = static_cast<std::int64_t>(logits.size());
  auto row = torch::empty({1, classes});
  std::ranges::copy(logits, row.data_ptr<float>());
  return batch_focal_loss(row, torch::full({1}, label, torch::kInt64), torch::full({classes}, weight, torch::kFloat32),
                          gamma)
      .item<double>();
}

}  // namespace polar::predict
