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

/// Reads such an archive into tensors that exist. Throws core::Error as tensors_from_bytes, and when number, sizes or
/// types differ; nothing is written then.
void read_tensors_into(std::vector<at::Tensor> tensors, const std::string& bytes, const std::string& what);

}  // namespace polar::predict
