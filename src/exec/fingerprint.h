#pragma once
// What the bits of an outcome depend on besides weights, tokens, program and sample.

#include <string>

#include "pool/module_pool.h"

namespace polar::exec {

/// LibTorch version, device, CPU instruction set (which reads the logits on any device), dtype, what multiplies, and
/// the revision of polar's own kernels.
std::string machine_fingerprint(pool::DType dtype, pool::Kernels kernels, const std::string& device = "cpu");

}  // namespace polar::exec
