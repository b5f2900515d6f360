#include "eval/levels.h"

#include <gtest/gtest.h>

#include "support/message_of.h"

namespace polar::eval {
namespace {

using Names = std::vector<std::string>;

TEST(Levels, StandInOrderOfAppearanceWithAllOfThemLast) {
  EXPECT_EQ(levels_of(Names{"b", "", "a", "b"}, std::identity()), (Names{"b", "", "a", "all"}));
  EXPECT_EQ(levels_of(Names{}, std::identity()), Names{"all"});
}

TEST(Levels, RefuseTheNameThatStandsForAllOfThem) {
  EXPECT_EQ(test::message_of<core::Error>([] { levels_of(Names{"a", "all"}, std::identity()); }),
            "level: expected any name but 'all', which stands for all levels together; rename it in the data set");
}

}  // namespace
}  // namespace polar::eval
