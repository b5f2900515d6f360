#include "exec/generation.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/tokenizer_file.h"
#include "task/grader.h"

namespace polar::exec {
namespace {

/// What the model of a test says, a byte a token, judged against a reference.
class Said : public testing::Test {
 protected:
  struct Result {
    Answer answer;
    std::size_t tokens = 0;  ///< appended when generation stopped
  };

  /// Appends the bytes of `text` until the rule stops it or all are said; then the end token.
  Result say(const std::string& grader_name, const std::string& reference, const std::string& text, StopRule stop,
             int max_new_tokens = 200) {
    const auto grader = task::make_grader(grader_name);
    const GenerationRules rules{grader.get(), stop_strings_, max_new_tokens, stop};
    EncodedExample example;
    example.reference = reference;
    Request request{&example, core::Program{0}, 0, 0, &rules, false};
    request.on_text = [this](std::string_view piece) { streamed_ += piece; };
    streamed_.clear();
    Generation generation(request, tokenizer_, eos_ids_);
    RowReading reading;
    reading.next_log_prob = -0.5;
    bool over = false;
    for (std::size_t i = 0; i < text.size() && !over; ++i) {
      reading.next = static_cast<unsigned char>(text[i]);
      over = generation.append(reading);
    }
    if (!over) {
      reading.next = kEnd;
      EXPECT_TRUE(generation.append(reading));
    }
    Result result;
    generation.finish(result.answer);
    result.tokens = generation.length();
    return result;
  }

  static constexpr text::Token kEnd = 256;
  const std::vector<int> eos_ids_ = {kEnd};
  std::vector<std::string> stop_strings_;
  std::string streamed_;
  text::Tokenizer tokenizer_ = test::load_tokenizer(with_end_token());

 private:
  static test::json with_end_token() {
    test::json description = test::tokenizer_json(test::gpt2_pre_tokenizer(), {});
    description["added_tokens"] = {test::added_token(kEnd, "<|end|>", true)};
    return description;
  }
};

struct Judged {
  const char *grader, *reference, *text;
  bool right;
};

TEST_F(Said, EveryAcceptedFormOfAnAnswerHasTheVerdictOfTheWholeTextWhereverItStops) {
  const Judged cases[] = {
      {"numeric:first", "0.5", " 0.5\n", true},
      {"numeric:first", "0.5", " 0.50 and more", true},
      {"numeric:first", "0.5", " 0.53 and more", false},
      {"numeric:first", "19", " 19 and more", true},
      {"numeric:first", "19", " 190", false},
      {"numeric:first", "19", " 2 and more", false},
      {"numeric:first", "1,234", " 1234.", true},
      {"numeric:last", "0.5", " 3, no: 0.5", true},
      {"numeric:last", "0.5", " 0.5, no: 3", false},
      {"numeric:boxed-first", "0.5", " so \\boxed{\\frac{1}{2}} and \\boxed{7}", true},
      {"numeric:boxed-first", "1/2", " so \\boxed{0.5}", true},
      {"numeric:boxed-first", "\\frac{1}{2}", " so \\boxed{1/2}.", true},
      {"numeric:boxed-first", "\\frac{1}{2}", " so \\boxed{\\frac{2}{4}} it is", true},
      {"numeric:boxed-first", "\\frac{1}{2}", " so \\boxed{\\frac{1}{3}} it is", false},
      {"numeric:boxed-last", "1/2", " \\boxed{3} no, \\boxed{\\dfrac{1}{2}}", true},
      {"numeric:boxed-last", "1/2", " \\boxed{1/2} no, \\boxed{3}", false},
      {"exact", "Paris", " Paris", true},
      {"exact", "Paris", " Parisian", false},
  };
  for (const auto& [grader, reference, text, right] : cases) {
    const std::string what = std::string(grader) + ", " + reference + ":" + text;
    const Result full = say(grader, reference, text, StopRule::kFull);
    EXPECT_EQ(full.answer.correct, right) << what;
    const Result early = say(grader, reference, text, StopRule::kVerdict);
    EXPECT_EQ(early.answer.correct, right) << what;
    EXPECT_LE(early.tokens, full.tokens) << what;
    EXPECT_TRUE(full.answer.text.starts_with(early.answer.text)) << what;
    const Result answered = say(grader, reference, text, StopRule::kAnswer);
    EXPECT_EQ(answered.answer.answer, full.answer.answer) << what;
    EXPECT_TRUE(answered.answer.answer_final) << what;
  }
}

TEST_F(Said, AStopStringThatHasBegunDecidesNothingUntilItIsClear) {
  stop_strings_ = {"</a>", "\n\n", "Question:"};
  const Judged cases[] = {
      {"exact", "Paris", " Paris</a> and more", true},
      {"exact", "Paris", " Paris</b>", false},
      {"exact", "Paris", " ParisQuestion: what", true},
      {"exact", "Paris", " ParisQuick", false},
      {"numeric:first", "19", " 19\n\n20", true},
      {"numeric:first", "19", " 19</a>5", true},
      {"numeric:last", "19", " 19</a> 20", true},
      {"numeric:last", "19", " 19</b> 20", false},
      {"numeric:boxed-first", "</", " \\boxed{</a>}", false},
      {"numeric:boxed-first", "1/2", " \\boxed{0.5}</a>", true},
  };
  for (const auto& [grader, reference, text, right] : cases) {
    const std::string what = std::string(grader) + ", " + reference + ":" + text;
    const Result full = say(grader, reference, text, StopRule::kFull);
    EXPECT_EQ(full.answer.correct, right) << what;
    for (const StopRule rule : {StopRule::kVerdict, StopRule::kAnswer}) {
      const Result early = say(grader, reference, text, rule);
      EXPECT_TRUE(full.answer.text.starts_with(early.answer.text)) << what << " became " << early.answer.text;
      EXPECT_EQ(streamed_, early.answer.text) << what;
      if (rule == StopRule::kVerdict) {
        EXPECT_EQ(early.answer.correct, right) << what;
      } else {
        EXPECT_EQ(early.answer.answer, full.answer.answer) << what;
      }
    }
  }
  EXPECT_EQ(say("exact", "Paris", " Paris</b>", StopRule::kVerdict).tokens, 9U) << "</b is no stop any more";
  EXPECT_EQ(say("numeric:first", "19", " 23</a>", StopRule::kVerdict).tokens, 2U) << "a wrong digit stays wrong";
}

TEST_F(Said, AWrongFirstDigitEndsAtOnceAndARightAnswerWhenNothingCanChangeIt) {
  EXPECT_EQ(say("numeric:first", "19", " 2345", StopRule::kVerdict).tokens, 2U);
  EXPECT_EQ(say("numeric:first", "19", " 19 apples", StopRule::kVerdict).tokens, 4U) << "a third digit may follow";
  EXPECT_EQ(say("numeric:boxed-first", "1/2", " \\boxed{0.5} and then a lot", StopRule::kVerdict).tokens, 12U);
  EXPECT_EQ(say("numeric:last", "19", " 19 apples", StopRule::kVerdict).tokens, 11U) << "the last number may yet come";
}

TEST_F(Said, ConfidenceIsTheMeanOfTheTokensUpToTheEndOfTheAnswerAndTheTextIsCutAtAStop) {
  EXPECT_DOUBLE_EQ(say("numeric:first", "19", " 19 apples", StopRule::kFull).answer.confidence, -0.5);
  stop_strings_ = {"\n\n", "Q:"};
  const Result cut = say("numeric:first", "19", " 19\nQuick\n\nQ: 3", StopRule::kFull);
  EXPECT_EQ(cut.answer.text, " 19\nQuick");
  EXPECT_EQ(cut.tokens, 11U);
  EXPECT_EQ(streamed_, cut.answer.text) << "no piece that a stop takes back";
}

TEST_F(Said, ALengthLimitEndsTheTextInTheMiddleOfAnAnswer) {
  const Result cut = say("numeric:first", "190", " 190 apples", StopRule::kFull, 3);
  EXPECT_EQ(cut.answer.text, " 19");
  EXPECT_FALSE(cut.answer.correct);
}

}  // namespace
}  // namespace polar::exec
