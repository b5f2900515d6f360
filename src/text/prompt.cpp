#include "text/prompt.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::text {

namespace {

constexpr std::string_view kQuestion = "{question}";

std::vector<std::string> split_at_questions(std::string_view body) {
  std::vector<std::string> pieces;
  std::size_t from = 0;
  for (std::size_t at = body.find(kQuestion); at != std::string_view::npos; at = body.find(kQuestion, from)) {
    pieces.emplace_back(body.substr(from, at - from));
    from = at + kQuestion.size();
  }
  if (pieces.empty()) {
    throw core::UsageError(
        fmt::format("prompt template: expected {{question}} at least once, found it nowhere in '{}': write it where "
                    "the question belongs",
                    body));
  }
  pieces.emplace_back(body.substr(from));
  return pieces;
}

}  // namespace

PromptTemplate::PromptTemplate(const std::string& body, std::optional<ChatTurn> chat, const std::string& system)
    : pieces_(split_at_questions(body)) {
  if (!system.empty() && !(chat && chat->takes_system)) {
    throw core::UsageError(
        fmt::format("prompt template: expected no system text, because {}, found '{}': leave the system text out or "
                    "write it into the template",
                    chat ? "the model's chat turn takes none" : "the chat turn is not used", system));
  }
  if (!chat) return;
  if (chat->before_user.empty() && chat->after_user.empty()) {
    throw core::UsageError(
        "prompt template: expected a chat turn in the pool, found none: switch the chat template off or export the "
        "model with one");
  }
  pieces_.front().insert(0, system.empty() ? chat->before_user : chat->before_system + system + chat->between);
  pieces_.back() += chat->after_user;
}

std::string PromptTemplate::render(std::string_view question) const {
  std::size_t size = question.size() * (pieces_.size() - 1);
  for (const std::string& piece : pieces_) size += piece.size();
  std::string out;
  out.reserve(size);
  out += pieces_.front();
  for (std::size_t i = 1; i < pieces_.size(); ++i) out.append(question).append(pieces_[i]);
  return out;
}

}  // namespace polar::text
