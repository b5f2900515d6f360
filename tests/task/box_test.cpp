#include "task/box.h"

#include <gtest/gtest.h>

namespace polar::task {
namespace {

TEST(Box, IsFoundWithItsBracesMatched) {
  const std::string_view text = R"(so \boxed{\frac{1}{2}} and \boxed {3})";
  const auto first = find_box(text);
  ASSERT_TRUE(first && first->closed);
  EXPECT_EQ(first->content, R"(\frac{1}{2})");
  const auto second = find_box(text, first->end);
  ASSERT_TRUE(second && second->closed);
  EXPECT_EQ(second->content, "3");
  EXPECT_FALSE(find_box(text, second->end));
}

TEST(Box, TakesEscapedBracesAsContent) {
  EXPECT_EQ(find_box(R"(\boxed{\{1\}})")->content, R"(\{1\})");
  EXPECT_EQ(find_box(R"(\boxed{\\})")->content, R"(\\)");
}

TEST(Box, StaysOpenUntilItsBraceCloses) {
  const auto box = find_box(R"(\boxed{\frac{1}{2})");
  ASSERT_TRUE(box);
  EXPECT_FALSE(box->closed);
  EXPECT_FALSE(find_box(R"(\boxed{1\)")->closed);
}

TEST(Box, NeedsABrace) {
  EXPECT_FALSE(find_box(R"(\boxed)"));
  EXPECT_FALSE(find_box(R"(\boxed  )"));
  EXPECT_FALSE(find_box(R"(\boxed 5 {)"));
  EXPECT_FALSE(find_box("boxed{5}"));
  EXPECT_EQ(find_box(R"(\boxed 5, \boxed{6})")->content, "6");
}

TEST(PlainLatex, ReadsNumbersAsTheyAreMeant) {
  EXPECT_EQ(plain_latex(" 19 "), "19");
  EXPECT_EQ(plain_latex(R"(1{,}234)"), "1,234");
  EXPECT_EQ(plain_latex(R"(1,\!234)"), "1,234");
  EXPECT_EQ(plain_latex(R"(\frac{3}{4})"), "3/4");
  EXPECT_EQ(plain_latex(R"(-\dfrac{3}{4})"), "-3/4");
  EXPECT_EQ(plain_latex(R"(\frac12)"), "1/2");
  EXPECT_EQ(plain_latex(R"(5\%)"), "5%");
  EXPECT_EQ(plain_latex(R"(19 \text{ cm})"), "19");
  EXPECT_EQ(plain_latex(R"(19\,\mathrm{m}^\circ)"), "19");
  EXPECT_EQ(plain_latex(R"(90^{\circ})"), "90");
}

TEST(PlainLatex, LeavesAnythingElseAsWritten) {
  EXPECT_EQ(plain_latex(R"(x^2+1)"), "x^2+1");
  EXPECT_EQ(plain_latex(R"(1\frac{1}{2})"), R"(1\frac{1}{2})");
  EXPECT_EQ(plain_latex(R"(\frac{1)"), R"(\frac{1)");
  EXPECT_EQ(plain_latex(R"(\frac)"), R"(\frac)");
  EXPECT_EQ(plain_latex(R"(\text{a} b)"), R"(\text{a} b)");
  EXPECT_EQ(plain_latex(""), "");
}

}  // namespace
}  // namespace polar::task
