#pragma once
// White space around answers, as all graders take it.

#include <algorithm>
#include <string_view>

namespace polar::task {

constexpr std::string_view kSpaces = " \t\n\r\f\v";

inline std::string_view without_first_spaces(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kSpaces), text.size()));
}

inline std::string_view trimmed(std::string_view text) {
  text = without_first_spaces(text);
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

}  // namespace polar::task
