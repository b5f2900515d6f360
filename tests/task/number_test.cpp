#include "task/number.h"

#include <gtest/gtest.h>

#include <vector>

namespace polar::task {
namespace {

/// Every number of a text, as plain text.
std::vector<std::string> numbers(std::string_view text) {
  std::vector<std::string> found;
  for (Scan scan = scan_number(text); scan.reading != Reading::kNone; scan = scan_number(text, scan.end)) {
    found.push_back(to_text(scan.number));
  }
  return found;
}

using Texts = std::vector<std::string>;

bool same(std::string_view a, std::string_view b, bool reduce = true) {
  const auto x = parse_number(a), y = parse_number(b);
  return x && y && same_number(*x, *y, reduce) && same_number(*y, *x, reduce);
}

TEST(NumberScan, FindsNoNumberWithoutDigits) {
  for (std::string_view text : {"", "-", "+", ".", "$", "nineteen", "\xC2\xBD", "\xE2\x88\x92", "- $ ."}) {
    EXPECT_EQ(scan_number(text).reading, Reading::kNone) << text;
  }
}

TEST(NumberScan, ReadsNumbersWhereverTheyStand) {
  EXPECT_EQ(numbers("x2 and 19, then 7."), (Texts{"2", "19", "7"}));
  EXPECT_EQ(numbers("1e5"), (Texts{"1", "5"}));
  EXPECT_EQ(numbers("5% of $20"), (Texts{"5", "20"}));
  EXPECT_EQ(numbers("19\xC2\xB2"), (Texts{"19"}));
}

TEST(NumberScan, BindsASignThatTouchesTheNumber) {
  EXPECT_EQ(numbers("-5"), (Texts{"-5"}));
  EXPECT_EQ(numbers(" =-5"), (Texts{"-5"}));
  EXPECT_EQ(numbers("+5"), (Texts{"5"}));
  EXPECT_EQ(numbers("\xE2\x88\x92"
                    "5"),
            (Texts{"-5"}));
  EXPECT_EQ(numbers("-$5 or $-5 or -\\$5"), (Texts{"-5", "-5", "-5"}));
  EXPECT_EQ(numbers("-.5"), (Texts{"-.5"}));
}

TEST(NumberScan, LeavesDashesAndOperatorsAlone) {
  EXPECT_EQ(numbers("- 5"), (Texts{"5"}));
  EXPECT_EQ(numbers("10-7"), (Texts{"10", "7"}));
  EXPECT_EQ(numbers("x-5 (a)-6 {b}-7"), (Texts{"5", "6", "7"}));
  EXPECT_EQ(numbers("--5"), (Texts{"5"}));
  EXPECT_EQ(numbers("\xE2\x88\x92-5"), (Texts{"5"}));
}

TEST(NumberScan, GroupsThousandsByExactlyThreeDigits) {
  EXPECT_EQ(numbers("1,234"), (Texts{"1234"}));
  EXPECT_EQ(numbers("1,234,567.50"), (Texts{"1234567.50"}));
  EXPECT_EQ(numbers("1,2"), (Texts{"1", "2"}));
  EXPECT_EQ(numbers("1,2345"), (Texts{"1", "2345"}));
  EXPECT_EQ(numbers("12,345,6"), (Texts{"12345", "6"}));
  EXPECT_EQ(numbers("0,123"), (Texts{"0", "123"}));
  EXPECT_EQ(numbers("1234,567"), (Texts{"1234", "567"}));
  EXPECT_EQ(numbers("19, 20"), (Texts{"19", "20"}));
}

TEST(NumberScan, TakesAPointOnlyWithDecimals) {
  EXPECT_EQ(numbers("19."), (Texts{"19"}));
  EXPECT_EQ(numbers("19.\n"), (Texts{"19"}));
  EXPECT_EQ(numbers("19.5"), (Texts{"19.5"}));
  EXPECT_EQ(numbers("1.2.3"), (Texts{"1.2", "3"}));
  EXPECT_EQ(numbers(".5"), (Texts{".5"}));
  EXPECT_EQ(numbers("costs $.5"), (Texts{".5"}));
  EXPECT_EQ(numbers("No.5"), (Texts{"5"}));
  EXPECT_EQ(numbers("...5"), (Texts{"5"}));
}

TEST(NumberScan, ReadsAFractionWithoutSpaces) {
  EXPECT_EQ(numbers("1/2"), (Texts{"1/2"}));
  EXPECT_EQ(numbers("-1,000/3"), (Texts{"-1000/3"}));
  EXPECT_EQ(numbers("3 / 4"), (Texts{"3", "4"}));
  EXPECT_EQ(numbers("1.5/2"), (Texts{"1.5", "2"}));
  EXPECT_EQ(numbers("km/5"), (Texts{"5"}));
  EXPECT_EQ(numbers("5/"), (Texts{"5"}));
}

TEST(NumberScan, SaysHowFarItHasRead) {
  const std::vector<std::pair<std::string_view, Reading>> cases = {
      {"19", Reading::kDigits},     {"19 ", Reading::kSettled},    {"19,", Reading::kGroup},
      {"19,5", Reading::kGroup},    {"19,555", Reading::kGroup},   {"19,x", Reading::kSettled},
      {"1999,", Reading::kSettled}, {"19.", Reading::kPoint},      {"19.5", Reading::kDecimals},
      {"19.x", Reading::kSettled},  {"19/", Reading::kSlash},      {"19/2", Reading::kFraction},
      {"19/2/", Reading::kSettled}, {"19\xE2", Reading::kSettled}, {"19,555.", Reading::kPoint},
      {"19,555/", Reading::kSlash}};
  for (const auto& [text, reading] : cases) EXPECT_EQ(scan_number(text).reading, reading) << text;
}

TEST(NumberParse, TakesAWholeTextOrNothing) {
  for (std::string_view text : {"19", " 19 ", "+19", "$19", "19%", "19 %", "19\\%", "19.", "19.0", "019"}) {
    EXPECT_TRUE(same(text, "19")) << text;
  }
  for (std::string_view text : {"-5", "- 5", "-$5", "$-5",
                                "\xE2\x88\x92"
                                "5",
                                "-5.00"})
    EXPECT_TRUE(same(text, "-5")) << text;
  EXPECT_TRUE(same("3 / 4", "0.75"));
  for (std::string_view text : {"", "x", "19 apples", "1,23", "1 2", "--5", "5-", "1/2/3", "1.5/2", "1/-2", "1/", "/2",
                                "5/0", "1/2%5", "$$5"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(NumberComparison, ComparesDecimalsByValue) {
  EXPECT_TRUE(same("2.50", "2.5"));
  EXPECT_TRUE(same("007", "7"));
  EXPECT_TRUE(same("-0", "0.00"));
  EXPECT_TRUE(same(".5", "0.50"));
  EXPECT_TRUE(same("1,234", "1234"));
  EXPECT_FALSE(same("5", "-5"));
  EXPECT_FALSE(same("10", "1"));
  EXPECT_FALSE(same("0.5", "0.05"));
}

TEST(NumberComparison, KeepsEveryDigitOfLongNumbers) {
  const std::string nines(400, '9');
  EXPECT_TRUE(same(nines + ".0", nines));
  EXPECT_FALSE(same(nines, nines.substr(1) + "8"));
  EXPECT_FALSE(same(nines + "." + nines, nines + "." + nines + "1"));
  EXPECT_TRUE(same(nines + "/" + nines, "1/1"));
}

TEST(NumberComparison, ReducesFractions) {
  EXPECT_TRUE(same("2/4", "1/2"));
  EXPECT_TRUE(same("1/2", "0.5"));
  EXPECT_TRUE(same("-1/2", "-.50"));
  EXPECT_TRUE(same("0/7", "0/3"));
  EXPECT_TRUE(same("-0/7", "0"));
  EXPECT_TRUE(same("38/2", "19"));
  EXPECT_FALSE(same("1/3", "0.333333333333333333"));
  EXPECT_FALSE(same("1/2", "-1/2"));
}

TEST(NumberComparison, KeepsFractionsFromIntegersUnlessReducing) {
  EXPECT_FALSE(same("38/2", "19", false));
  EXPECT_FALSE(same("38/2", "19.0", false));
  EXPECT_FALSE(same("0/2", "0", false));
  EXPECT_TRUE(same("38/2", "19/1", false));
  EXPECT_TRUE(same("1/2", "0.5", false));
  EXPECT_TRUE(same("19", "19.0", false));
}

TEST(NumberContinuation, KnowsWhichIntegersAreStillPossible) {
  const auto can = [](std::string_view text, std::string_view reference) {
    return can_become_integer(scan_number(text), *parse_number(reference));
  };
  EXPECT_TRUE(can("", "19"));
  EXPECT_TRUE(can("1", "19"));
  EXPECT_TRUE(can("00", "19"));
  EXPECT_TRUE(can("19", "19"));
  EXPECT_TRUE(can("19,", "19"));
  EXPECT_TRUE(can("19,0", "19"));
  EXPECT_TRUE(can("19.", "19"));
  EXPECT_TRUE(can("19.0", "19"));
  EXPECT_TRUE(can("19/", "19"));
  EXPECT_TRUE(can("1,2", "1234"));
  EXPECT_TRUE(can("1,234,5", "1234"));
  EXPECT_TRUE(can("-0", "0"));
  EXPECT_FALSE(can("2", "19"));
  EXPECT_FALSE(can("195", "19"));
  EXPECT_FALSE(can("-1", "19"));
  EXPECT_FALSE(can("1", "-19"));
  EXPECT_FALSE(can("1,", "19"));
  EXPECT_FALSE(can("1,2", "12345"));
  EXPECT_FALSE(can("1,3", "1234"));
  EXPECT_FALSE(can("1.", "19"));
  EXPECT_FALSE(can("19.01", "19"));
  EXPECT_FALSE(can("19/2", "19"));
  EXPECT_FALSE(can(".5", "19"));
}

}  // namespace
}  // namespace polar::task
