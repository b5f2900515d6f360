#include "exec/fingerprint.h"

#include <fmt/format.h>
#include <torch/torch.h>
#include <torch/version.h>

#include "pool/device.h"

namespace polar::exec {
namespace {

/// Raised whenever own kernels change the bits of a result.
constexpr int kKernelRevision = 3;

std::string cpu_features() {
  std::string features = at::get_cpu_capability();
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bf16")) features += "+avx512_bf16";
  if (__builtin_cpu_supports("amx-tile")) features += "+amx";
#endif
  return features;
}

/// Which products are fused with a sum is the compiler's choice.
#if defined(__clang__)
constexpr const char* kCompiler = "clang";
constexpr int kCompilerVersion = __clang_major__;
#else
constexpr const char* kCompiler = "gcc";
constexpr int kCompilerVersion = __GNUC__;
#endif

}  // namespace

std::string machine_fingerprint(pool::DType dtype, pool::Kernels kernels, const std::string& device) {
  const std::string other = pool::device_fingerprint(device);
  return fmt::format("libtorch {}; {}{}cpu {}; {}; {} kernels, revision {}, {} {}", TORCH_VERSION, other,
                     other.empty() ? "" : "; ", cpu_features(), pool::to_string(dtype), pool::to_string(kernels),
                     kKernelRevision, kCompiler, kCompilerVersion);
}

}  // namespace polar::exec
