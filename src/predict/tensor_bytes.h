#pragma once
// Tensors as bytes: an archive of torch::save. For the .cpp files of this folder.

#include <string>
#include <vector>

namespace at {
class Tensor;
}

namespace polar::predict {

std::string tensors_to_bytes(const std::vector<at::Tensor>& tensors);

/// Normal tensors (usable for training) in the order saved. Throws core::Error naming `what` when the bytes are not
/// such an archive.
std::vector<at::Tensor> tensors_from_bytes(const std::string& bytes, const std::string& what);

}  // namespace polar::predict
