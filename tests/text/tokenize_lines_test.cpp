#include "text/tokenize_lines.h"

#include <gtest/gtest.h>

#include <sstream>

#include "core/error.h"
#include "support/message_of.h"
#include "support/tokenizer_file.h"

namespace polar::text {
namespace {

class TokenizeLines : public ::testing::Test {
 protected:
  TokenizeLines() {
    auto description = test::tokenizer_json(test::gpt2_pre_tokenizer(), {{"a", "b"}});
    description["added_tokens"] = {test::added_token(257, "<|x|>", true)};
    core::write_file(folder_ / "tokenizer.json", description.dump());
  }
  std::string answer(const std::string& input, bool json_lines) {
    std::istringstream in(input);
    std::ostringstream out;
    EXPECT_EQ(run_tokenize(folder_.path(), json_lines, in, out), 0);
    return out.str();
  }
  std::string refusal(const std::string& input) {
    return test::message_of<core::Error>([&] { answer(input, true); });
  }

  test::TemporaryFolder folder_;
};

TEST_F(TokenizeLines, WritesTheIdsOfEachLine) {
  EXPECT_EQ(answer("ab\n\na<|x|>\nb", false), "[256]\n[]\n[97,257]\n[98]\n");
  EXPECT_EQ(answer("", false), "");
}

TEST_F(TokenizeLines, ReadsJsonStringsAndDecodesArraysOfIds) {
  EXPECT_EQ(answer("\"a\\nab\"\n[256,257,195]\n[]\n", true), "[97,10,256]\n\"ab<|x|>\uFFFD\"\n\"\"\n");
}

TEST_F(TokenizeLines, TakesTheTokenizerFileItselfToo) {
  std::istringstream in("ab");
  std::ostringstream out;
  run_tokenize(folder_ / "tokenizer.json", false, in, out);
  EXPECT_EQ(out.str(), "[256]\n");
}

TEST_F(TokenizeLines, NamesTheLineItCannotRead) {
  EXPECT_NE(refusal("\"a\"\nab\n")
                .find("standard input:2: expected a JSON string or an array of token ids, found broken JSON"),
            std::string::npos);
  EXPECT_NE(
      refusal("{}\n").find("standard input:1: expected a JSON string or an array of token ids, found a JSON object"),
      std::string::npos);
  EXPECT_NE(refusal("[258]\n").find("found the id 258, where ids are 0 … 257"), std::string::npos);
  EXPECT_NE(refusal("[-1]\n").find("found the id -1"), std::string::npos);
}

TEST_F(TokenizeLines, SaysWhenItCannotWrite) {
  std::istringstream in("ab");
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  const auto message = test::message_of<core::Error>([&] { run_tokenize(folder_.path(), false, in, out); });
  EXPECT_NE(message.find("standard output"), std::string::npos);
}

}  // namespace
}  // namespace polar::text
