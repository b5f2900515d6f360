#include "core/text_distance.h"

#include <gtest/gtest.h>

#include <vector>

namespace polar::core {
namespace {

TEST(TextDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(text_distance("", ""), 0u);
  EXPECT_EQ(text_distance("", "abc"), 3u);
  EXPECT_EQ(text_distance("abc", ""), 3u);
  EXPECT_EQ(text_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(text_distance("bugdet", "budget"), 1u);
  EXPECT_EQ(text_distance("ca", "abc"), 3u);  // no byte is edited twice
  EXPECT_EQ(text_distance("abc", "ca"), 3u);
}

TEST(NearestWord, FindsTheKeyThatWasMeant) {
  const std::vector<std::string> keys{"search.budget", "search.seed", "exec.dtype"};
  EXPECT_EQ(nearest("search.bugdet", keys), "search.budget");
  EXPECT_EQ(nearest("search.sed", keys), "search.seed");
  EXPECT_EQ(nearest("exec_dtype", keys), "exec.dtype");
  EXPECT_EQ(nearest("exec.dtype", keys), "exec.dtype");
}

TEST(NearestWord, PrefersTheFirstOfEquallyNearOnes) {
  EXPECT_EQ(nearest("cat", std::vector<std::string>{"bat", "car"}), "bat");
  EXPECT_EQ(nearest("cat", std::vector<std::string>{"bats", "car"}), "car");
}

TEST(NearestWord, FindsNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest("temperature", std::vector<std::string>{"search.budget"}), "");
  EXPECT_EQ(nearest("a", std::vector<std::string>{"b", "z"}), "");
  EXPECT_EQ(nearest("", std::vector<std::string>{"", "a"}), "");
  EXPECT_EQ(nearest("word", {}), "");
}

}  // namespace
}  // namespace polar::core
