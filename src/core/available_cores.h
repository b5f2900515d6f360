#pragma once
// How many threads can run at once here.

#include <filesystem>

namespace polar::core {

/// Processors that this process may run on (its affinity mask), or fewer where a control group grants less time: a
/// quota of 1.5 processors counts as 2. At least 1. `groups` is where control groups are mounted, as a
/// container sees its own; files of version 2 (cpu.max) and 1 (cpu/cpu.cfs_quota_us) are understood, absent ones set no
/// limit, and quotas of groups below are not looked for.
int available_cores(const std::filesystem::path& groups = "/sys/fs/cgroup");

}  // namespace polar::core
