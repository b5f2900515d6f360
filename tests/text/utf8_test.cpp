#include "text/utf8.h"

#include <gtest/gtest.h>

#include "text/byte_alphabet.h"

namespace polar::text {
namespace {

const std::string kBad = "\xEF\xBF\xBD";

TEST(Utf8, RepairsEachMaximalInvalidSubpartOnceAsPythonDoes) {
  EXPECT_EQ(repair_utf8("abc é 漢 😀"), "abc é 漢 😀");
  EXPECT_EQ(repair_utf8("\xFF"), kBad);
  EXPECT_EQ(repair_utf8("a\xE2\x82z"), "a" + kBad + "z");                 // one cut character
  EXPECT_EQ(repair_utf8("\xF0\x9F\x98"), kBad);                           // cut by the end
  EXPECT_EQ(repair_utf8("\xED\xA0\x80"), kBad + kBad + kBad);             // a surrogate
  EXPECT_EQ(repair_utf8("\xC0\xAF"), kBad + kBad);                        // overlong
  EXPECT_EQ(repair_utf8("\xF4\x90\x80\x80"), kBad + kBad + kBad + kBad);  // beyond U+10FFFF
  EXPECT_EQ(repair_utf8("\xE1\x80\xC3\xA9"), kBad + "é");
  EXPECT_EQ(repair_utf8("\xF0\x80\x80"), kBad + kBad + kBad);
}

TEST(Utf8, FindsTheValidPrefixPastLongRunsOfAscii) {
  const std::string ascii(1000, 'x');
  EXPECT_EQ(valid_utf8_prefix(ascii), 1000u);
  EXPECT_EQ(valid_utf8_prefix(ascii + "é" + ascii), 2002u);
  EXPECT_EQ(valid_utf8_prefix(ascii + "\x80" + ascii), 1000u);
  EXPECT_EQ(valid_utf8_prefix(""), 0u);
}

TEST(Utf8, TellsATailThatMayBeCompletedFromABrokenOne) {
  EXPECT_EQ(incomplete_utf8_tail("a\xF0\x9F\x98"), 3u);
  EXPECT_EQ(incomplete_utf8_tail("a\xF0"), 1u);
  EXPECT_EQ(incomplete_utf8_tail("é\xE2\x82"), 2u);
  EXPECT_EQ(incomplete_utf8_tail("é"), 0u);
  EXPECT_EQ(incomplete_utf8_tail("\xED\xA0"), 0u);
  EXPECT_EQ(incomplete_utf8_tail("\xFF"), 0u);
  EXPECT_EQ(incomplete_utf8_tail(""), 0u);
}

TEST(Utf8, WritesAndReadsBackEveryLengthOfCharacter) {
  for (const char32_t code_point : {U'a', U'\x7F', U'\x80', U'\x7FF', U'\x800', U'\xFFFD', U'\x10000', U'\x10FFFF'}) {
    std::string text;
    append_utf8(code_point, text);
    const Utf8Step step = utf8_step(text, 0);
    EXPECT_TRUE(step.valid);
    EXPECT_EQ(step.length, text.size());
    EXPECT_EQ(step.code_point, code_point);
  }
}

TEST(ByteAlphabet, WritesEveryByteAsACharacterOfItsOwnAndReadsItBack) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string character = alphabet_character(static_cast<unsigned char>(byte));
    EXPECT_EQ(alphabet_bytes(character), std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(alphabet_character(' '), "Ġ");
  EXPECT_EQ(alphabet_character('\n'), "Ċ");
  EXPECT_EQ(alphabet_character('A'), "A");
  EXPECT_EQ(alphabet_bytes("Ġcat"), " cat");
  EXPECT_EQ(alphabet_bytes("a b"), std::nullopt);
  EXPECT_EQ(alphabet_bytes("<｜x｜>"), std::nullopt);
}

}  // namespace
}  // namespace polar::text
