#include "text/prompt.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace polar::text {
namespace {

ChatTurn turn_with_system() {
  return {"<s>default</s><u>", "</u><a>", "<s>", "</s><u>", true};
}

TEST(PromptTemplate, PutsTheQuestionWhereItBelongs) {
  const PromptTemplate prompt("Question: {question}\nAnswer:");
  EXPECT_EQ(prompt.render("1 + 1?"), "Question: 1 + 1?\nAnswer:");
  EXPECT_EQ(prompt.render(""), "Question: \nAnswer:");
}

TEST(PromptTemplate, PutsTheQuestionEverywhereItBelongs) {
  EXPECT_EQ(PromptTemplate("What is {question}? {question} =").render("1 + 1"), "What is 1 + 1? 1 + 1 =");
  EXPECT_EQ(PromptTemplate("{question}{question}", turn_with_system()).render("x"), "<s>default</s><u>xx</u><a>");
}

TEST(PromptTemplate, NeverReadsTheQuestionAsATemplate) {
  EXPECT_EQ(PromptTemplate("{a}{question}").render("{question}{b}"), "{a}{question}{b}");
}

TEST(PromptTemplate, WrapsTheChatTurnAround) {
  EXPECT_EQ(PromptTemplate("Q {question}!", turn_with_system()).render("x"), "<s>default</s><u>Q x!</u><a>");
  EXPECT_EQ(PromptTemplate("Q {question}!", turn_with_system(), "Be brief.").render("x"),
            "<s>Be brief.</s><u>Q x!</u><a>");
}

std::string refusal(const std::string& body, std::optional<ChatTurn> chat = std::nullopt,
                    const std::string& system = {}) {
  try {
    PromptTemplate(body, std::move(chat), system);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(PromptTemplate, RefusesATemplateWithoutAQuestion) {
  EXPECT_NE(refusal("no place").find("expected {question} at least once, found it nowhere in 'no place'"),
            std::string::npos);
}

TEST(PromptTemplate, RefusesASystemTextThatHasNoPlace) {
  EXPECT_NE(refusal("{question}", std::nullopt, "Be brief.").find("chat turn is not used"), std::string::npos);
  EXPECT_NE(refusal("{question}", ChatTurn{"<u>", "</u>", "", "", false}, "Be brief.").find("takes none"),
            std::string::npos);
}

TEST(PromptTemplate, RefusesAnEmptyChatTurn) {
  EXPECT_NE(refusal("{question}", ChatTurn{}).find("expected a chat turn in the pool, found none"), std::string::npos);
}

}  // namespace
}  // namespace polar::text
