#include "predict/tensor_bytes.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <sstream>

#include "core/error.h"

namespace polar::predict {

std::string tensors_to_bytes(const std::vector<at::Tensor>& tensors) {
  std::ostringstream out;
  torch::save(tensors, out);
  return std::move(out).str();
}

std::vector<at::Tensor> tensors_from_bytes(const std::string& bytes, const std::string& what) {
  const c10::InferenceMode normal(false);
  std::vector<at::Tensor> tensors;
  try {
    std::istringstream in(bytes);
    torch::load(tensors, in);
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    throw core::Error(fmt::format("{}: expected an archive of tensors, found {} damaged bytes ({}); train again", what,
                                  bytes.size(), reason.substr(0, reason.find('\n'))));
  }
  return tensors;
}

void read_tensors_into(std::vector<at::Tensor> tensors, const std::string& bytes, const std::string& what) {
  const std::vector<at::Tensor> loaded = tensors_from_bytes(bytes, what);
  const auto same_shape = [](const at::Tensor& a, const at::Tensor& b) {
    return a.sizes() == b.sizes() && a.dtype() == b.dtype();
  };
  if (!std::ranges::equal(tensors, loaded, same_shape)) {
    throw core::Error(
        fmt::format("{}: expected {} tensors of the manifest's sizes, found {} of other sizes; train again", what,
                    tensors.size(), loaded.size()));
  }
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].copy_(loaded[i]);
}

}  // namespace polar::predict
