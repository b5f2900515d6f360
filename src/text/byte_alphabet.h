#pragma once
// The byte alphabet of GPT-2: every byte written as a printable character, so that vocabularies can be JSON strings.
// Bytes 21–7E, A1–AC and AE–FF stand for themselves; the other 68, in order, are U+0100 … U+0143 (openai/gpt-2,
// encoder.py, bytes_to_unicode).

#include <optional>
#include <string>
#include <string_view>

namespace polar::text {

/// The character that stands for a byte, in UTF-8.
std::string alphabet_character(unsigned char byte);

/// The bytes a vocabulary entry stands for; nullopt when some character is outside the alphabet. `content` is valid
/// UTF-8.
std::optional<std::string> alphabet_bytes(std::string_view content);

}  // namespace polar::text
