#include "predict/tensor_bytes.h"

#include <fmt/format.h>
#include <torch/torch.h>

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

}  // namespace polar::predict
