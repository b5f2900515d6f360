#include "pool/device.h"

#include <ATen/ATen.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace polar::pool {
namespace {

constexpr std::string_view kCuda = "cuda";

/// N of "cuda:N".
int index_of(const std::string& device) {
  return device.size() > kCuda.size() ? std::stoi(device.substr(kCuda.size() + 1)) : 0;
}

/// LibTorch's own way to the name needs the CUDA toolkit's headers; the driver's library is there wherever CUDA works,
/// and counts devices as LibTorch does.
std::string driver_name_of(int index) {
  using Initialise = int (*)(unsigned flags);
  using GetDevice = int (*)(int* device, int index);
  using GetName = int (*)(char* name, int size, int device);
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  const auto find = [driver](const char* name) { return driver != nullptr ? dlsym(driver, name) : nullptr; };
  const auto initialise = reinterpret_cast<Initialise>(find("cuInit"));
  const auto get_device = reinterpret_cast<GetDevice>(find("cuDeviceGet"));
  const auto get_name = reinterpret_cast<GetName>(find("cuDeviceGetName"));
  std::array<char, 256> name{};
  int device = 0;
  const bool told = initialise != nullptr && get_device != nullptr && get_name != nullptr && initialise(0) == 0 &&
                    get_device(&device, index) == 0 &&
                    get_name(name.data(), static_cast<int>(name.size()) - 1, device) == 0;
  if (driver != nullptr) dlclose(driver);
  if (!told)
    throw core::Error(
        fmt::format("cuda:{}: expected the driver (libcuda.so.1) to name the device, found no answer", index));
  return name.data();
}

}  // namespace

bool is_device_name(const std::string& text) {
  if (text == "cpu" || text == kCuda) return true;
  const std::string prefix = std::string(kCuda) + ":";
  if (!text.starts_with(prefix) || text.size() == prefix.size() || text.size() > prefix.size() + 3) return false;
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(prefix.size()), text.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

std::string choose_device(const std::string& setting) {
  if (!is_device_name(setting))
    throw core::UsageError(fmt::format("exec.device: expected cpu, cuda or cuda:N, found '{}'", setting));
  if (setting == "cpu") return setting;
  if (!at::globalContext().hasCUDART()) {
    throw core::UsageError(
        fmt::format("exec.device: expected cpu (this LibTorch has no CUDA), found '{}'; for a GPU install a torch {} "
                    "wheel with CUDA "
                    "and build again",
                    setting, TORCH_VERSION));
  }
  const auto count = torch::cuda::device_count();
  if (count == 0) {
    throw core::UsageError(
        fmt::format("exec.device: expected cpu (LibTorch finds no CUDA device here), found '{}'", setting));
  }
  if (index_of(setting) >= count) {
    throw core::UsageError(
        fmt::format("exec.device: expected cpu or cuda:0 … cuda:{}, found '{}'", count - 1, setting));
  }
  return fmt::format("{}:{}", kCuda, index_of(setting));
}

std::string device_fingerprint(const std::string& device) {
  if (device == "cpu") return "";
  return fmt::format("cuda {}, runtime {}", driver_name_of(index_of(device)), at::globalContext().versionCUDART());
}

// The driver copies to and from pinned memory at full speed, and from it without stopping the program.

at::Tensor indices_on(const std::string& device, std::span<const std::int64_t> indices) {
  const bool on_cpu = device == "cpu";
  const at::Tensor here =
      at::empty({static_cast<std::int64_t>(indices.size())}, at::TensorOptions(at::kLong).pinned_memory(!on_cpu));
  std::ranges::copy(indices, here.data_ptr<std::int64_t>());
  return on_cpu ? here : here.to(at::Device(device), /*non_blocking=*/true);
}

at::Tensor on_host(const at::Tensor& rows) {
  if (rows.is_cpu()) return rows.contiguous();
  return at::empty(rows.sizes(), at::TensorOptions(rows.scalar_type()).pinned_memory(true)).copy_(rows);
}

}  // namespace polar::pool
