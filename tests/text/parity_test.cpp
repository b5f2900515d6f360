// Ids and text of the `tokenizers` library, as scripts/make_tokenizer_fixture.py wrote them down.

#include <gtest/gtest.h>

#include <filesystem>

#include "core/file.h"
#include "support/tokenizer_file.h"
#include "text/tokenizer.h"

namespace polar::text {
namespace {

std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0, count = 0;
  for (const char character : text) {
    const std::size_t digit = kDigits.find(character);
    if (digit == std::string_view::npos) break;  // padding
    bits = (bits << 6) | static_cast<unsigned>(digit);
    if ((count += 6) >= 8) bytes.push_back(static_cast<char>((bits >> (count -= 8)) & 0xFF));
  }
  return bytes;
}

class Parity : public ::testing::TestWithParam<std::string> {};

TEST_P(Parity, GivesTheIdsAndTheTextOfTheTokenizersLibrary) {
  const auto file = std::filesystem::path(POLAR_PARITY_FILE);
  const auto fixture = nlohmann::json::parse(core::read_file(file));
  const auto& family = fixture["families"][GetParam()];
  const auto& strings = fixture["strings_base64"];
  const Tokenizer tokenizer = test::load_tokenizer(family["tokenizer"]);
  ASSERT_EQ(strings.size(), family["ids"].size());
  ASSERT_GE(strings.size(), 300u);
  for (std::size_t i = 0; i < strings.size(); ++i) {
    const std::string text = from_base64(strings[i].get<std::string>());
    EXPECT_EQ(tokenizer.encode(text), family["ids"][i].get<std::vector<Token>>()) << "string " << i << ": " << text;
  }
  const auto& tails = family["decoded_tail"];
  ASSERT_GT(tails.size(), 0u);
  for (std::size_t i = 0; i < tails.size(); ++i) {
    const auto ids = family["ids"][i].get<std::vector<Token>>();
    EXPECT_EQ(tokenizer.decode(std::span(ids).subspan(ids.size() / 2)), tails[i].get<std::string>()) << "string " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Parity, ::testing::Values("gpt2", "llama3", "qwen2", "smollm2"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace polar::text
