#include "labels/run_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "core/error.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"

namespace polar::labels {
namespace {

using test::message_of;
using test::TemporaryFolder;

TEST(RunLock, RefusesASecondWriterAndNamesThePid) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  const std::string message = message_of<core::Error>([&] { RunLock second(folder.path()); });
  EXPECT_NE(message.find(folder.path().string()), std::string::npos) << message;
  EXPECT_NE(message.find("pid " + std::to_string(getpid())), std::string::npos) << message;
}

TEST(RunLock, IsFreeAgainAfterRelease) {
  const TemporaryFolder folder;
  {
    const RunLock lock(folder.path());
  }
  EXPECT_NO_THROW(RunLock second(folder.path()));
}

TEST(RunLock, IsFreeAgainWhenItsProcessWasKilled) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const RunLock lock(folder.path());
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_NO_THROW(RunLock second(folder.path()));
}

TEST(RunLock, MovesWithItsHolder) {
  const TemporaryFolder folder, other;
  RunLock first(folder.path());
  RunLock second = std::move(first);
  EXPECT_THROW(RunLock third(folder.path()), core::Error);
  second = RunLock(other.path());
  EXPECT_EQ(second.folder(), other.path());
  EXPECT_NO_THROW(RunLock third(folder.path()));
  EXPECT_THROW(RunLock third(other.path()), core::Error);
}

TEST(RunLock, NamesAMissingFolder) {
  const TemporaryFolder folder;
  const std::string message = message_of<core::Error>([&] { RunLock lock(folder / "absent"); });
  EXPECT_NE(message.find("absent"), std::string::npos) << message;
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
}

}  // namespace
}  // namespace polar::labels
