#pragma once
// UTF-8 as Python's errors="replace" and Rust's from_utf8_lossy read it: U+FFFD for each maximal invalid subpart
// (Unicode 3.9, table 3-8).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace polar::text {

/// One step through UTF-8: a character, or a maximal invalid subpart of one.
struct Utf8Step {
  std::size_t length = 0;   ///< bytes, 1 to 4
  bool valid = false;       ///< a whole character
  bool cut_short = false;   ///< not valid, but the text ended before the character could be completed
  char32_t code_point = 0;  ///< of a valid step
};

/// The step that starts at byte `at` < text.size().
Utf8Step utf8_step(std::string_view text, std::size_t at);

/// Length of the longest prefix that is valid UTF-8.
std::size_t valid_utf8_prefix(std::string_view text);

/// The text with U+FFFD for each maximal invalid subpart.
std::string repair_utf8(std::string_view text);

/// Number of bytes at the end (0 to 3) that begin a character which further bytes could complete.
std::size_t incomplete_utf8_tail(std::string_view text);

void append_utf8(char32_t code_point, std::string& out);

}  // namespace polar::text
