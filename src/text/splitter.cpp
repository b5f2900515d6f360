#include "text/splitter.h"

#include <fmt/format.h>

#include <span>
#include <string>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/error.h"
#include "text/unicode_tables.h"

namespace polar::text {

namespace {

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

std::string message_of(int error) {
  char text[256];
  pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(text), sizeof text);
  return text;
}

std::string class_items(std::string_view property, std::span<const CodePointRange> ranges) {
  std::string items(property);
  for (const auto& [first, last] : ranges) {
    items += fmt::format("\\x{{{:x}}}-\\x{{{:x}}}", static_cast<unsigned>(first), static_cast<unsigned>(last));
  }
  return items;
}

/// Writes the library's character classes out for PCRE2. Only for the patterns of the header, which have no nested or
/// escaped brackets.
std::string for_pcre2(std::string_view pattern) {
  const std::string letters = class_items("\\p{L}", kLettersAfterUnicode14);
  const std::string numbers = class_items("\\p{N}", kNumbersAfterUnicode14);
  const std::string digits = class_items(numbers, kDigitsBeyondNumbers);
  const std::string spaces = class_items("", kWhiteSpace);
  const std::pair<std::string_view, const std::string*> classes[] = {
      {"\\p{L}", &letters}, {"\\p{N}", &numbers}, {"\\s", &spaces}, {"\\S", &spaces}, {"\\d", &digits}};
  std::string out;
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size();) {
    bool replaced = false;
    for (const auto& [name, items] : classes) {
      if (!pattern.substr(at).starts_with(name)) continue;
      out += in_class ? *items : fmt::format("[{}{}]", name == "\\S" ? "^" : "", *items);
      at += name.size();
      replaced = true;
      break;
    }
    if (replaced) continue;
    if (pattern[at] == '[') in_class = true;
    if (pattern[at] == ']') in_class = false;
    out.push_back(pattern[at++]);
  }
  return out;
}

}  // namespace

struct SplitScratch::State {
  Owned<pcre2_match_data> data{pcre2_match_data_create(1, nullptr)};
  Owned<pcre2_match_context> context{pcre2_match_context_create(nullptr)};
  Owned<pcre2_jit_stack> stack{pcre2_jit_stack_create(32 * 1024, 1024 * 1024, nullptr)};
};

SplitScratch::SplitScratch() : state_(std::make_unique<State>()) {
  if (!state_->data || !state_->context) throw std::bad_alloc();
  // Without JIT on this machine there is no stack, and none is needed.
  if (state_->stack) pcre2_jit_stack_assign(state_->context.get(), nullptr, state_->stack.get());
}
SplitScratch::~SplitScratch() = default;

struct Splitter::State {
  Owned<pcre2_code> code;
};

Splitter::Splitter(std::string_view pattern) : state_(std::make_unique<State>()) {
  const std::string translated = for_pcre2(pattern);
  int error = 0;
  PCRE2_SIZE offset = 0;
  state_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                   PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr));
  if (!state_->code) {
    throw core::Error(fmt::format("pattern '{}': expected a regular expression for PCRE2, found at byte {} of '{}': {}",
                                  pattern, offset, translated, message_of(error)));
  }
  // A machine without JIT matches the same, only slower.
  pcre2_jit_compile(state_->code.get(), PCRE2_JIT_COMPLETE);
}
Splitter::~Splitter() = default;
Splitter::Splitter(Splitter&&) noexcept = default;
Splitter& Splitter::operator=(Splitter&&) noexcept = default;

bool Splitter::find(std::string_view text, std::size_t from, SplitScratch& scratch, Match& match) const {
  pcre2_match_data* data = scratch.state_->data.get();
  const int result = pcre2_match(state_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                                 PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, data, scratch.state_->context.get());
  if (result == PCRE2_ERROR_NOMATCH) return false;
  if (result < 0) {
    throw core::Error(fmt::format("splitting a text of {} bytes into words failed at byte {}: {}: shorten the text",
                                  text.size(), from, message_of(result)));
  }
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data);
  match = {offsets[0], offsets[1]};
  return true;
}

}  // namespace polar::text
