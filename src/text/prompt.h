#pragma once
// Prompt templates: how a question becomes the model's input text.

#include <optional>
#include <string>
#include <string_view>

namespace polar::text {

/// One user turn of a model's chat template, rendered by the exporter (pool.json, "chat"): the literal text before and after the
/// user's words, generation prompt included. `with_system` has the place of the system text too.
struct ChatTurn {
  std::string before_user;                      ///< default system text included, where the template has one
  std::string after_user;
  std::string before_system;                    ///< empty together with between when the template takes no system text
  std::string between;                          ///< between system text and user text
  bool takes_system = false;
};

/// A template with `{question}` exactly once, and optionally the chat turn around it. Immutable, thread-safe.
class PromptTemplate {
 public:
  /// Throws UsageError when `{question}` does not occur exactly once, when chat is asked for and the pool has no chat turn, or when a
  /// system text is given and the turn takes none.
  PromptTemplate(std::string body, std::optional<ChatTurn> chat = std::nullopt, std::string system = {});
  std::string render(std::string_view question) const;

 private:
  std::string before_, after_;
};

}  // namespace polar::text
