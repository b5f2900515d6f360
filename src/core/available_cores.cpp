#include "core/available_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <thread>

namespace polar::core {
namespace {

int processors() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));  // more than a cpu_set_t holds
}

/// Processors' worth of time; nothing where there is no limit ("max", −1) or none that can be read.
std::optional<double> quota_of(const std::filesystem::path& groups) {
  double quota = 0, period = 0;
  if (std::ifstream both(groups / "cpu.max"); both) {
    both >> quota >> period;
    if (!both) return std::nullopt;
  } else {
    std::ifstream(groups / "cpu" / "cpu.cfs_quota_us") >> quota;
    std::ifstream(groups / "cpu" / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? std::optional(quota / period) : std::nullopt;
}

}  // namespace

int available_cores(const std::filesystem::path& groups) {
  const std::optional<double> quota = quota_of(groups);
  if (!quota || *quota >= processors()) return processors();
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

}  // namespace polar::core
