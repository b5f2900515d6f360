#include "core/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "core/error.h"

namespace polar::core {
namespace {

TEST(Program, RefusesToBeEmptyOrLongerThanTheLimit) {
  EXPECT_THROW(Program(std::vector<Program::Layer>{}), Error);
  EXPECT_THROW(Program(std::vector<Program::Layer>(Program::kMaxSteps + 1, 0)), Error);
  EXPECT_EQ(Program(std::vector<Program::Layer>(Program::kMaxSteps, 0)).length(), 4096);
}

TEST(Program, RefusesLayersThatAreNoLayerIndex) {
  EXPECT_THROW(Program({0, -1}), Error);
  EXPECT_THROW(Program({65536}), Error);
  EXPECT_EQ(Program({65535})[0], 65535);
}

TEST(Program, IdentityRunsEveryLayerOnce) {
  EXPECT_EQ(Program::identity(4), Program({0, 1, 2, 3}));
  EXPECT_EQ(Program::identity(4096).length(), 4096);
  EXPECT_THROW(Program::identity(0), Error);
  EXPECT_THROW(Program::identity(-3), Error);
  EXPECT_THROW(Program::identity(4097), Error);
}

TEST(Program, CountsExecutionsAndDistinctLayers) {
  const Program program({0, 1, 1, 3, 1});
  EXPECT_EQ(program.length(), 5);
  EXPECT_EQ(program.unique_depth(), 3);
  EXPECT_DOUBLE_EQ(program.depth_ratio(4), 1.25);
}

TEST(Program, OrdersByLengthThenByLayers) {
  std::vector<Program> programs{Program({1, 0}), Program({0, 1, 2}), Program({0, 1}), Program({9})};
  std::sort(programs.begin(), programs.end());
  EXPECT_EQ(programs, (std::vector<Program>{Program({9}), Program({0, 1}), Program({1, 0}), Program({0, 1, 2})}));
}

TEST(Program, TheDefaultIsAnEmptyPlaceholder) {
  EXPECT_TRUE(Program().empty());
  EXPECT_EQ(Program().text(), "");
  EXPECT_LT(Program(), Program({0}));
}

TEST(Program, HashesByLayerSequence) {
  EXPECT_EQ(std::hash<Program>()(Program({3, 4})), std::hash<Program>()(Program::parse("3-4")));
  std::unordered_set<std::size_t> hashes;
  for (int a = 0; a < 60; ++a) {
    for (int b = 0; b < 60; ++b) hashes.insert(std::hash<Program>()(Program({a, b})));
  }
  EXPECT_EQ(hashes.size(), 3600u);
}

}  // namespace
}  // namespace polar::core
