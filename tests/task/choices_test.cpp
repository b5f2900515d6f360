#include "task/choices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::task {
namespace {

Example fog(int choices = 3) {
  Example example{"fog",    "Where is fog likely?", "a marsh", {"a tundra", "a marsh", "the plains"}, 1, "easy",
                  "made up"};
  example.choices.resize(static_cast<std::size_t>(choices), "elsewhere");
  return example;
}

TEST(Lettered, PutsChoicesUnderTheQuestionAndAsksForTheLetter) {
  const Example asked = lettered(fog());
  EXPECT_EQ(asked.question, "Where is fog likely?\nA. a tundra\nB. a marsh\nC. the plains");
  EXPECT_EQ(asked.answer, "B");
  EXPECT_EQ(asked.id, "fog");
  EXPECT_TRUE(lettered(fog(26)).question.ends_with("\nZ. elsewhere"));
}

TEST(Lettered, RefusesARowWithoutChoicesOrWithMoreThanThereAreLetters) {
  Example none = fog();
  none.choices.clear();
  none.label = -1;
  test::expect_parts(test::message_of<core::Error>([&] { lettered(none); }), {"'fog'", "choices", "found none"});
  test::expect_parts(test::message_of<core::Error>([&] { lettered(fog(27)); }), {"2 to 26", "found 27"});
}

TEST(Reordered, HasTheSameChoicesInAnotherOrderThatSeedAndIdDraw) {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Example other = reordered(fog(), seed);
    EXPECT_NE(other.choices, fog().choices);
    EXPECT_EQ(other.choices.at(static_cast<std::size_t>(other.label)), "a marsh");
    EXPECT_EQ(other.answer, "a marsh");
    EXPECT_EQ(other.id, "fog/reordered");
    EXPECT_EQ(other.choices, reordered(fog(), seed).choices);
    orders.insert(other.choices);
    std::vector<std::string> sorted = other.choices;
    std::ranges::sort(sorted);
    EXPECT_EQ(sorted, (std::vector<std::string>{"a marsh", "a tundra", "the plains"}));
  }
  EXPECT_EQ(orders.size(), 5U) << "every order but the row's own";
}

}  // namespace
}  // namespace polar::task
