#include "exec/encoding.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "exec/stop_strings.h"

namespace polar::exec {
namespace {

std::optional<text::ChatTurn> chat_turn(const pool::Manifest& manifest, const task::TaskSpec& task) {
  if (!task.chat) return std::nullopt;
  if (!manifest.chat) {
    throw core::UsageError(
        fmt::format("task.chat: expected a pool with a chat template, found {} without one; set task.chat to false",
                    manifest.folder.string()));
  }
  const pool::Chat& chat = *manifest.chat;
  return text::ChatTurn{chat.before_user, chat.after_user, chat.before_system, chat.between, chat.takes_system};
}

}  // namespace

TaskEncoder::TaskEncoder(const pool::Manifest& manifest, const text::Tokenizer& tokenizer, const task::TaskSpec& task)
    : manifest_(manifest),
      tokenizer_(tokenizer),
      template_(task.prompt_template, chat_turn(manifest, task), task.system),
      grader_(task::make_grader(task.grader)),
      separator_(task.separator),
      stop_(task.stop),
      max_new_tokens_(task.max_new_tokens) {
  if (!task.chat) prefix_.assign(tokenizer.prefix().begin(), tokenizer.prefix().end());
}

std::vector<text::Token> TaskEncoder::tokens_of(const std::string& text) const {
  std::vector<text::Token> tokens = prefix_;
  const std::vector<text::Token> own = tokenizer_.encode(text);
  tokens.insert(tokens.end(), own.begin(), own.end());
  return tokens;
}

EncodedExample TaskEncoder::encode_input(const task::ExampleId& id, const std::string& question) const {
  EncodedExample encoded{id, tokens_of(template_.render(question)), question, {}, {}};
  if (encoded.prompt.empty()) {
    throw core::Error(
        fmt::format("example {}: expected a prompt of at least one token, found an empty one; mend task.template", id));
  }
  const auto needed = static_cast<int>(encoded.prompt.size()) + max_new_tokens_;
  if (needed > manifest_.context) {
    throw core::Error(fmt::format(
        "example {}: expected at most {} tokens (the model's context), found {} of the prompt and {} new ones; shorten "
        "the question or lower task.max_new_tokens",
        id, manifest_.context, encoded.prompt.size(), max_new_tokens_));
  }
  return encoded;
}

EncodedExample TaskEncoder::encode(const task::Example& example, bool scored) {
  EncodedExample encoded = encode_input(example.id, example.question);
  encoded.reference = example.answer;
  const std::string prompt = template_.render(example.question);
  const std::vector<text::Token> whole = tokens_of(prompt + separator_ + example.answer);
  const std::vector<text::Token>& start = encoded.prompt;
  if (whole.size() <= start.size() || !std::equal(start.begin(), start.end(), whole.begin())) {
    throw core::Error(
        fmt::format("example {}: expected the tokens of the prompt to begin those of prompt + separator + answer ('{}' "
                    "after '{}'), "
                    "found another split; change task.separator (now '{}') or the end of task.template",
                    example.id, example.answer, prompt.substr(prompt.size() - std::min<std::size_t>(prompt.size(), 12)),
                    separator_));
  }
  encoded.draft.tokens.assign(whole.begin() + static_cast<std::ptrdiff_t>(start.size()), whole.end());
  if (static_cast<int>(whole.size()) + 1 > manifest_.context) {
    throw core::Error(fmt::format(
        "example {}: expected at most {} tokens (the model's context), found {}; shorten the question or the answer",
        example.id, manifest_.context, whole.size() + 1));
  }
  if (scored) encoded.draft.terminators = terminators(tokenizer_.decode(encoded.draft.tokens), example.answer);
  return encoded;
}

std::shared_ptr<const TokenSet> TaskEncoder::terminators(const std::string& draft_text, const std::string& reference) {
  const auto right = [&](std::string_view text, bool finished) {
    return grader_->judge(text, reference, finished) == task::Verdict::kCorrect;
  };
  if (!right(draft_text, true)) return nullptr;
  auto& known = terminators_of_[{draft_text, reference}];
  if (known) return known;
  TokenSet set(static_cast<std::size_t>(manifest_.vocabulary), 0);
  for (int id : manifest_.eos_ids) set[static_cast<std::size_t>(id)] = 1;
  std::string text;
  const int tokens = std::min(manifest_.vocabulary, tokenizer_.vocabulary_size());
  for (text::Token token = 0; token < tokens; ++token) {
    if (tokenizer_.is_special(token)) continue;
    text.assign(draft_text).append(tokenizer_.token_bytes(token));
    const bool stopped = cut_at_stop(text, stop_);
    bool ends = right(text, stopped);
    if (!stopped) {
      for (const std::size_t cut : possible_cuts(text, stop_))
        ends = ends || right(std::string_view(text).substr(0, cut), true);
    }
    if (ends) set[static_cast<std::size_t>(token)] = 1;
  }
  const auto alike = std::ranges::find_if(terminator_sets_, [&](const auto& other) { return *other == set; });
  if (alike != terminator_sets_.end()) return known = *alike;
  return known = terminator_sets_.emplace_back(std::make_shared<const TokenSet>(std::move(set)));
}

std::vector<text::Token> shared_prompt(std::span<const EncodedExample> examples) {
  if (examples.size() < 2) return {};
  const std::vector<text::Token>& first = examples.front().prompt;
  std::size_t common = first.size();
  for (const EncodedExample& example : examples) {
    common = std::min(common, example.prompt.size() - 1);
    const auto differs =
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(common), example.prompt.begin()).first;
    common = static_cast<std::size_t>(differs - first.begin());
  }
  const std::size_t shared = std::min(common, first.size() - 1);
  return {first.begin(), first.begin() + static_cast<std::ptrdiff_t>(shared)};
}

}  // namespace polar::exec
