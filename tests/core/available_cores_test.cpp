#include "core/available_cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>

#include "core/file.h"
#include "support/temporary_folder.h"

namespace polar::core {
namespace {

/// Of this thread's affinity mask.
int processors() {
  cpu_set_t allowed;
  EXPECT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  return CPU_COUNT(&allowed);
}

TEST(AvailableCores, AreTheProcessorsWhereNoGroupLimitsThem) {
  const test::TemporaryFolder groups;
  EXPECT_EQ(available_cores(groups / "absent"), processors());
  write_file(groups / "cpu.max", "max 100000\n");
  EXPECT_EQ(available_cores(groups.path()), processors());
  write_file(groups / "cpu.max", "damaged");
  EXPECT_EQ(available_cores(groups.path()), processors());
}

TEST(AvailableCores, AreWhatAQuotaGrants) {
  const test::TemporaryFolder groups;
  write_file(groups / "cpu.max", "100000 100000\n");
  EXPECT_EQ(available_cores(groups.path()), 1);
  write_file(groups / "cpu.max", "20000 100000\n");
  EXPECT_EQ(available_cores(groups.path()), 1);
  write_file(groups / "cpu.max", "150000 100000\n");
  EXPECT_EQ(available_cores(groups.path()), std::min(2, processors()));
  write_file(groups / "cpu.max", "99999900000 100000\n");
  EXPECT_EQ(available_cores(groups.path()), processors());
}

TEST(AvailableCores, ReadsTheFilesOfTheFirstVersion) {
  const test::TemporaryFolder groups;
  ensure_folder(groups / "cpu");
  write_file(groups / "cpu/cpu.cfs_period_us", "100000\n");
  write_file(groups / "cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(available_cores(groups.path()), processors());
  write_file(groups / "cpu/cpu.cfs_quota_us", "50000\n");
  EXPECT_EQ(available_cores(groups.path()), 1);
}

TEST(AvailableCores, AreThoseOfTheAffinityMask) {
  const test::TemporaryFolder groups;
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_cores(groups.path()), 1);
  EXPECT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace polar::core
