#pragma once
// Prompt templates: how a question becomes the model's input text.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polar::text {

/// One user turn of a model's chat template, rendered by the exporter (pool.json, "chat"): the literal text before and
/// after the user's words, generation prompt included.
struct ChatTurn {
  std::string before_user;  ///< default system text included, where the template has one
  std::string after_user;
  std::string before_system;  ///< with a system text: stands before it; empty when the template takes none
  std::string between;        ///< with a system text: between it and the user's words
  bool takes_system = false;
};

/// A template with `{question}` once or more, and optionally the chat turn around it. `{question}` in the question or
/// in the chat turn is plain text. Immutable, thread-safe.
class PromptTemplate {
 public:
  /// Throws UsageError when `{question}` does not occur, when chat is asked for and the pool has no chat turn, or when
  /// a system text is given and the turn takes none.
  PromptTemplate(const std::string& body, std::optional<ChatTurn> chat = std::nullopt, const std::string& system = {});
  std::string render(std::string_view question) const;

 private:
  std::vector<std::string> pieces_;  ///< literal text; the question stands between neighbours; at least two
};

}  // namespace polar::text
