#include "task/task.h"

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "task/grader.h"
#include "text/prompt.h"

namespace polar::task {
namespace {

/// Raised whenever the same fields come to mean something else (a grader reads numbers differently, say).
constexpr int kRevision = 1;

}  // namespace

std::string TaskSpec::digest() const {
  core::Digest digest;
  const auto add = [&digest](std::string_view value) { digest.update(fmt::format("{}:", value.size())).update(value); };
  digest.update(fmt::format("polar task {}\n", kRevision));
  add(name);
  add(prompt_template);
  add(chat ? "chat" : "raw");
  add(system);
  add(grader);
  add(separator);
  digest.update(fmt::format("{} stops:", stop.size()));
  for (const std::string& text : stop) add(text);
  digest.update(fmt::format("{} tokens", max_new_tokens));
  return digest.finish();
}

void check(const TaskSpec& spec) {
  const text::PromptTemplate checked(spec.prompt_template);
  make_grader(spec.grader);
  if (!spec.system.empty() && !spec.chat) {
    throw core::UsageError(fmt::format(
        "task {}: system: expected no system text, because chat is off, found '{}': switch chat on or write "
        "the text into the template",
        spec.name, spec.system));
  }
  for (const std::string& text : spec.stop) {
    if (text.empty()) {
      throw core::UsageError(fmt::format(
          "task {}: stop: expected texts of at least one character, found an empty one: remove it", spec.name));
    }
  }
  if (spec.max_new_tokens < 1) {
    throw core::UsageError(
        fmt::format("task {}: max_new_tokens: expected an integer ≥ 1, found {}", spec.name, spec.max_new_tokens));
  }
}

}  // namespace polar::task
