#pragma once
// What the bits of an outcome depend on besides weights, tokens, program and sample.

#include <string>

#include "pool/manifest.h"

namespace polar::exec {

/// LibTorch version, CPU instruction set, dtype and the revision of the executor's own kernels.
std::string machine_fingerprint(pool::DType dtype);

}  // namespace polar::exec
