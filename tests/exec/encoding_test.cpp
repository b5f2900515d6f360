#include "exec/encoding.h"

#include <gtest/gtest.h>

#include "support/tokenizer_file.h"

namespace polar::exec {
namespace {

/// A model whose texts begin with <|x|> = 257.
class StartTokenTest : public testing::Test {
 protected:
  StartTokenTest() {
    test::json description = test::tokenizer_json(test::gpt2_pre_tokenizer(), {{"a", "b"}});
    description["added_tokens"] = {test::added_token(257, "<|x|>", true)};
    description["post_processor"] = test::start_with(257, "<|x|>");
    tokenizer_ = std::make_unique<text::Tokenizer>(test::load_tokenizer(description));
    manifest_.vocabulary = 258;
    manifest_.context = 64;
    manifest_.chat = pool::Chat{"<|x|>", "", "", "", false};
    task_.prompt_template = "{question}";
    task_.grader = "exact";
  }

  pool::Manifest manifest_;
  task::TaskSpec task_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
};

TEST_F(StartTokenTest, BeginsThePromptAndIsNoPartOfTheDraft) {
  TaskEncoder encoder(manifest_, *tokenizer_, task_);
  const EncodedExample encoded = encoder.encode({"1", "ab", "a", {}, -1, "", ""}, false);
  EXPECT_EQ(encoded.prompt, (std::vector<text::Token>{257, 256}));
  EXPECT_EQ(encoded.draft.tokens, (std::vector<text::Token>{' ', 'a'}));
  EXPECT_EQ(encoder.encode_input("1", "ab").prompt, encoded.prompt);
}

TEST_F(StartTokenTest, StandsOnceUnderAChatTemplateThatWritesIt) {
  task_.chat = true;
  EXPECT_EQ(TaskEncoder(manifest_, *tokenizer_, task_).encode_input("1", "ab").prompt,
            (std::vector<text::Token>{257, 256}));
}

TEST_F(StartTokenTest, ATokenThatBeginsAStopStringMayFollowARightAnswer) {
  task_.stop = {"</a>"};
  TaskEncoder encoder(manifest_, *tokenizer_, task_);
  const EncodedExample encoded = encoder.encode({"1", "ab", "x", {}, -1, "", ""});
  const TokenSet& ends = *encoded.draft.terminators;
  EXPECT_EQ(ends['<'], 1);
  EXPECT_EQ(ends['\n'], 1) << "the grader's own end";
  EXPECT_EQ(ends['/'], 0);
  EXPECT_EQ(ends['x'], 0);
}

TEST_F(StartTokenTest, ATokenThatCompletesAStopStringMayFollowARightAnswer) {
  task_.stop = {"b", "xy"};
  TaskEncoder encoder(manifest_, *tokenizer_, task_);
  const TokenSet ends = *encoder.encode({"1", "ab", "x", {}, -1, "", ""}).draft.terminators;
  EXPECT_EQ(ends['b'], 1);
  EXPECT_EQ(ends['y'], 0) << "it takes the answer with it";
  EXPECT_EQ(ends['a'], 0);
}

TEST_F(StartTokenTest, AnswersThatEndAlikeShareOneSet) {
  task_.grader = "numeric:first";
  TaskEncoder encoder(manifest_, *tokenizer_, task_);
  const auto set_of = [&](const char* answer) {
    return encoder.encode({"1", "ab", answer, {}, -1, "", ""}).draft.terminators;
  };
  EXPECT_EQ(set_of("19"), set_of("23"));
  EXPECT_NE(set_of("19"), set_of("0.5"));
  EXPECT_EQ(set_of("nineteen"), nullptr) << "never right";
}

}  // namespace
}  // namespace polar::exec
