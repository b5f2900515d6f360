#pragma once
// The device that modules run on, by name: "cpu", "cuda" (the first GPU) or "cuda:N".

#include <cstdint>
#include <span>
#include <string>

namespace at {
class Tensor;
}

namespace polar::pool {

/// Whether `text` is such a name, of a device that is here or not.
bool is_device_name(const std::string& text);

/// "cpu", or "cuda:N" where LibTorch finds that device. Throws core::UsageError, which says what is here.
std::string choose_device(const std::string& setting);

/// What the device's results depend on: "cuda <name the driver gives it>, runtime <version>"; "" for the CPU, whose
/// instruction set is named elsewhere. Throws core::Error where the driver does not tell.
std::string device_fingerprint(const std::string& device);

/// int64 [N] on `device`. On a GPU the copy may still be under way on the current stream: nobody waits for it. Throws
/// c10::Error when memory is out.
at::Tensor indices_on(const std::string& device, std::span<const std::int64_t> indices);

/// The same values on the CPU, contiguous; `rows` itself where it is that already. Throws c10::Error when memory is
/// out.
at::Tensor on_host(const at::Tensor& rows);

}  // namespace polar::pool
