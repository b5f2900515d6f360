#include "experiment/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "core/error.h"

namespace polar::experiment {
namespace {

/// Runs in a child process, since the flag lasts as long as the process.
void interrupt_once(int number) {
  signal(number, SIG_DFL);  // background jobs begin with SIGINT ignored
  install_interrupt_handler();
  throw_if_interrupted("not yet");
  raise(number);
  if (!interrupt_flag()) _exit(1);
  try {
    throw_if_interrupted("go on with: polar run x.yaml");
  } catch (const core::Interrupted& error) {
    const bool right = std::string(error.what()) == "go on with: polar run x.yaml";
    _exit(right ? error.exit_code() : 1);
  }
  _exit(1);
}

TEST(InterruptDeathTest, TheFirstSignalAsksForAStop) {
  EXPECT_EXIT(interrupt_once(SIGINT), testing::ExitedWithCode(130),
              "stopping at the next safe point; press Ctrl-C again");
  EXPECT_EXIT(interrupt_once(SIGTERM), testing::ExitedWithCode(130), "stopping at the next safe point");
}

TEST(InterruptDeathTest, TheSecondSignalEndsTheProcess) {
  const auto twice = [] {
    signal(SIGINT, SIG_DFL);
    install_interrupt_handler();
    raise(SIGINT);
    raise(SIGINT);
    _exit(1);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(130), "");
}

TEST(InterruptDeathTest, AnIgnoredSignalStaysIgnored) {
  const auto ignored = [] {
    signal(SIGINT, SIG_IGN);
    install_interrupt_handler();
    raise(SIGINT);
    _exit(interrupt_flag() ? 1 : 0);
  };
  EXPECT_EXIT(ignored(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace polar::experiment
