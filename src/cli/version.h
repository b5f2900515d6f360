#pragma once
// What --version prints.

#include <string>

namespace polar::cli {

/// Version, LibTorch, processor capability and the dtype exec.dtype: auto takes: what a fingerprint is made of.
std::string version_text();

}  // namespace polar::cli
