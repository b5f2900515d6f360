#include "experiment/progress.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "search/run_searches.h"

namespace polar::experiment {
namespace {

using namespace std::chrono_literals;

/// Progress onto a string, with a clock that stands still until it is moved.
struct Screen {
  std::string text;
  ProgressOutput::Clock::time_point now{};
  ProgressOutput output(bool terminal, int columns = 80) {
    return {[this](std::string_view part) { text += part; }, [this] { return now; }, terminal, columns};
  }
  std::string take() { return std::exchange(text, ""); }
};

TEST(Progress, WritesPlainLinesEveryFewSecondsWithRateAndTimeLeft) {
  Screen screen;
  Progress progress("search", 6400, "rollouts", screen.output(false));
  screen.now += 4s;
  progress.add(400);
  EXPECT_EQ(screen.take(), "");
  screen.now += 1s;
  progress.add(100);
  EXPECT_EQ(screen.take(), "search: 500 of 6,400 rollouts (7 %), 100.0/s, 59 s left\n");
  screen.now += 5s;
  progress.set_note("best 0.53");
  progress.add(500);
  EXPECT_EQ(screen.take(), "search: 1,000 of 6,400 rollouts (15 %), 100.0/s, 54 s left, best 0.53\n");
}

TEST(Progress, RedrawsOneLineOnATerminalAndEndsItOnce) {
  Screen screen;
  {
    Progress progress("train", 10, "epochs", screen.output(true));
    screen.now += 50ms;
    progress.add();
    EXPECT_EQ(screen.take(), "");
    screen.now += 950ms;
    progress.add();
    EXPECT_EQ(screen.take(), "\rtrain: 2 of 10 epochs (20 %), 2.0/s, 4 s left\x1b[K");
    progress.add(8);
    screen.now += 1s;
    progress.finish();
    EXPECT_EQ(screen.take(), "\rtrain: 10 of 10 epochs (100 %), 5.0/s, took 2 s\x1b[K\n");
  }
  EXPECT_EQ(screen.take(), "");
}

TEST(Progress, CutsALineToTheTerminal) {
  Screen screen;
  Progress progress("überlang", 10, "epochs", screen.output(true, 12));
  screen.now += 1s;
  progress.add();
  EXPECT_EQ(screen.take(), "\rüberlang: 1\x1b[K");
}

TEST(Progress, ForgetsAFastStart) {
  Screen screen;
  Progress progress("search", 10000, "rollouts", screen.output(false));
  screen.now += 5s;
  progress.add(5000);  // answered from a store
  for (int i = 0; i < 8; ++i) {
    screen.now += 5s;
    screen.take();
    progress.add(50);
  }
  EXPECT_EQ(screen.take(), "search: 5,400 of 10,000 rollouts (54 %), 10.0/s, 7 min 40 s left\n");
}

TEST(Progress, LeavesOutShareAndTimeLeftOfAnUnknownTotal) {
  Screen screen;
  Progress progress("read", 0, "rows", screen.output(false));
  screen.now += 5s;
  progress.add(10);
  EXPECT_EQ(screen.take(), "read: 10 rows, 2.0/s\n");
}

TEST(Progress, TakesATotalThatFalls) {
  Screen screen;
  Progress progress("search", 2000, "rollouts", screen.output(false));
  screen.now += 5s;
  progress.set_total(1000);
  progress.add(500);
  EXPECT_EQ(screen.take(), "search: 500 of 1,000 rollouts (50 %), 100.0/s, 5 s left\n");
}

TEST(ShownOn, ShowsRolloutsOfAsManyAsThereCanStillBe) {
  Screen screen;
  Progress progress("search", 400, "rollouts", screen.output(false));
  const auto show = shown_on(progress);
  show({.searches = 4, .rollouts_done = 50, .rollouts_at_most = 400});
  screen.now += 5s;
  show({.searches_done = 2,
        .searches = 4,
        .rollouts_done = 100,
        .rollouts_at_most = 250,
        .identity_correct = 1,
        .solved = 2});
  EXPECT_EQ(screen.take(),
            "search: 100 of 250 rollouts (40 %), 20.0/s, 8 s left, 2 solved, 1 by the identity, 2 of 4 examples\n");
}

TEST(ShownOn, ShowsHitsOfALargeSearchOnATerminalOfEightyColumns) {
  Screen screen;
  Progress progress("search", 0, "rollouts", screen.output(true, 80));
  const auto show = shown_on(progress);
  screen.now += 1075s;
  show({.searches = 9800, .rollouts_done = 123456, .rollouts_at_most = 1960140, .solved = 5631});
  EXPECT_NE(screen.take().find("114.8/s, 4 h 26 min left, 5631 solved"), std::string::npos);
}

TEST(Progress, CountsFromSeveralThreads) {
  Screen screen;
  Progress progress("x", 4000, "items", screen.output(false));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) progress.add();
    });
  for (std::thread& thread : threads) thread.join();
  progress.finish();
  EXPECT_EQ(screen.take(), "x: 4,000 of 4,000 items (100 %), took 0 s\n");
}

TEST(Progress, WritesDurationsInTwoUnits) {
  EXPECT_EQ(duration_text(0s), "0 s");
  EXPECT_EQ(duration_text(59s), "59 s");
  EXPECT_EQ(duration_text(61s), "1 min 1 s");
  EXPECT_EQ(duration_text(1643s), "27 min");
  EXPECT_EQ(duration_text(7500s), "2 h 5 min");
}

}  // namespace
}  // namespace polar::experiment
