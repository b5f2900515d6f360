#include "pool/thread_team.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <new>

namespace polar::pool {
namespace {

TEST(ThreadTeam, RunsEveryPartOnceARound) {
  for (int size : {1, 2, 4}) {
    ThreadTeam team(size);
    EXPECT_EQ(team.size(), size);
    std::array<std::atomic<int>, 4> calls{};
    for (int round = 0; round < 500; ++round) team.run([&](int part) { ++calls[static_cast<std::size_t>(part)]; });
    for (int part = 0; part < 4; ++part) EXPECT_EQ(calls[static_cast<std::size_t>(part)], part < size ? 500 : 0);
  }
}

TEST(ThreadTeam, WakesHelpersThatFellAsleep) {
  ThreadTeam team(3);
  std::atomic<int> calls{0};
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    team.run([&](int) { ++calls; });
  }
  EXPECT_EQ(calls, 9);
}

TEST(ThreadTeam, ThrowsAgainWhatAPartThrewAndGoesOn) {
  ThreadTeam team(3);
  for (int failing = 0; failing < 3; ++failing) {
    std::atomic<int> done{0};
    const auto part = [&](int index) {
      if (index == failing) throw std::bad_alloc();
      ++done;
    };
    EXPECT_THROW(team.run(part), std::bad_alloc);
    EXPECT_EQ(done, 2);
    EXPECT_NO_THROW(team.run([&](int) { ++done; }));
    EXPECT_EQ(done, 5);
  }
  EXPECT_THROW(team.run([](int) { throw std::bad_alloc(); }), std::bad_alloc);
}

}  // namespace
}  // namespace polar::pool
