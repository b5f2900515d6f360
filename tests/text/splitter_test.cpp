#include "text/splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/normalize.h"

namespace polar::text {
namespace {

/// Matches and what lies between them, as words.
std::vector<std::string> words(std::string_view pattern, std::string_view text) {
  const Splitter splitter(pattern);
  SplitScratch scratch;
  std::vector<std::string> result;
  std::size_t at = 0;
  Splitter::Match match;
  while (at < text.size() && splitter.find(text, at, scratch, match)) {
    if (match.begin > at) result.emplace_back(text.substr(at, match.begin - at));
    result.emplace_back(text.substr(match.begin, match.end - match.begin));
    at = match.end;
  }
  if (at < text.size()) result.emplace_back(text.substr(at));
  return result;
}

using Words = std::vector<std::string>;

TEST(Splitter, CutsAsGpt2Does) {
  EXPECT_EQ(words(kGpt2Pattern, "I'll pay 1234.5  dollars\n\nNOW'S"),
            (Words{"I", "'ll", " pay", " 1234", ".", "5", " ", " dollars", "\n", "\n", "NOW", "'", "S"}));
}

TEST(Splitter, CutsAsLlama3DoesDigitsInThreesAndContractionsInAnyCase) {
  EXPECT_EQ(words(kLlama3Pattern, "I'LL pay 12345!\n\n  x\n"),
            (Words{"I", "'LL", " pay", " ", "123", "45", "!\n\n", " ", " x", "\n"}));
}

TEST(Splitter, CutsAsQwen2DoesDigitByDigit) {
  EXPECT_EQ(words(kQwen2Pattern, "a12 (b) \n \n c"), (Words{"a", "1", "2", " (", "b", ")", " \n \n", " c"}));
}

TEST(Splitter, CutsEveryNumericCharacterForDigits) {
  EXPECT_EQ(words(kDigitPattern, "ab12½ Ⅻ٣c"), (Words{"ab", "1", "2", "½", " ", "Ⅻ", "٣", "c"}));
}

TEST(Splitter, KnowsTheLibrarysWhiteSpace) {
  EXPECT_EQ(words(kGpt2Pattern, "a\u00a0b"), (Words{"a", "\u00a0", "b"}));
  // U+180E is white space for PCRE2 but not for the library: here it is a symbol and takes the space before it.
  EXPECT_EQ(words(kGpt2Pattern, "a \u180e"), (Words{"a", " \u180e"}));
}

TEST(Splitter, KnowsTheLibrarysLettersAndNumbersUpToUnicode16) {
  EXPECT_EQ(words(kGpt2Pattern, "a\U0001E4D0"), (Words{"a\U0001E4D0"}));  // letter of Unicode 15
  EXPECT_EQ(words(kGpt2Pattern, "1\U00011F50"), (Words{"1\U00011F50"}));  // digit of Unicode 15
  EXPECT_EQ(words(kGpt2Pattern, "1\U00011DE0"),
            (Words{"1", "\U00011DE0"}));  // digit of Unicode 17: not for the pattern,
  EXPECT_EQ(words(kDigitPattern, "a\U00011DE0"), (Words{"a", "\U00011DE0"}));  // but for Digits
}

TEST(Splitter, FoldsCaseInContractionsAsUnicodeDoes) {
  EXPECT_EQ(words(kLlama3Pattern, "x'ſ"), (Words{"x", "'ſ"}));
  EXPECT_EQ(words(kGpt2Pattern, "x'S"), (Words{"x", "'", "S"}));
}

TEST(Splitter, CutsMillionsOfSpacesWithoutGivingUp) {
  const std::string spaces(2'000'000, ' ');
  for (const std::string_view pattern : {kGpt2Pattern, kLlama3Pattern, kQwen2Pattern}) {
    EXPECT_EQ(words(pattern, spaces + "x"), (Words{spaces.substr(1), " x"}));
    EXPECT_EQ(words(pattern, spaces), (Words{spaces}));
  }
}

TEST(Normalize, ComposesAndReordersButLeavesAsciiAlone) {
  EXPECT_FALSE(may_need_nfc("plain text, caf\u00e9"));
  EXPECT_EQ(normalize_nfc("cafe\u0301"), "caf\u00e9");
  EXPECT_EQ(normalize_nfc("a\u0302\u0323"), "\u1ead");
  EXPECT_EQ(normalize_nfc("\u1100\u1161\u11a8"), "\uac01");
  EXPECT_EQ(normalize_nfc("\u212b\u0958"), "\u00c5\u0915\u093c");
  EXPECT_EQ(normalize_nfc(std::string_view("a\0e\u0301", 5)), std::string_view("a\0\u00e9", 4));
  EXPECT_EQ(normalize_nfc(""), "");
}

TEST(Normalize, LeavesMarksThatTheLibraryDoesNotKnowWhereTheyStand) {
  const std::string text = "a\u0315\u1ac1\u0301";  // U+1AC1 came with Unicode 14: a starter for the library
  EXPECT_EQ(normalize_nfc(text), text);
  EXPECT_EQ(normalize_nfc("\U00011935\U00011930e\u0301"), "\U00011935\U00011930\u00e9");
}

}  // namespace
}  // namespace polar::text
