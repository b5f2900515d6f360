#include "text/normalize.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "core/error.h"
#include "text/unicode_tables.h"
#include "text/utf8.h"

namespace polar::text {

namespace {

bool is_inert(char32_t code_point) {
  const auto* after = std::upper_bound(std::begin(kInertUnderNfc), std::end(kInertUnderNfc), code_point,
                                       [](char32_t value, const CodePointRange& range) { return value < range.first; });
  return after != std::begin(kInertUnderNfc) && code_point <= std::prev(after)->last;
}

void append_nfc(std::string_view text, std::string& out) {
  if (!may_need_nfc(text)) {
    out.append(text);
    return;
  }
  utf8proc_uint8_t* raw = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &raw, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, &std::free);
  if (length < 0) {
    throw core::Error(fmt::format("NFC of a text of {} bytes failed: {}", text.size(), utf8proc_errmsg(length)));
  }
  out.append(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length));
}

}  // namespace

bool may_need_nfc(std::string_view text) {
  // The first character that NFC can change or reorder is U+0300, whose lead byte is CC.
  return std::any_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) >= 0xCC; });
}

std::string normalize_nfc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    if (step.valid && step.length > 1 && is_inert(step.code_point)) {
      append_nfc(text.substr(begin, at - begin), out);
      out.append(text.substr(at, step.length));
      begin = at + step.length;
    }
    at += step.length;
  }
  append_nfc(text.substr(begin), out);
  return out;
}

}  // namespace polar::text
