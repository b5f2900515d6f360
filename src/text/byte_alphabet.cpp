#include "text/byte_alphabet.h"

#include <array>

#include "text/utf8.h"

namespace polar::text {

namespace {

struct Alphabet {
  std::array<char32_t, 256> character{};
  std::array<int, 0x144> byte{};
};

Alphabet make_alphabet() {
  Alphabet alphabet;
  alphabet.byte.fill(-1);
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool itself = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const char32_t character = itself ? static_cast<char32_t>(byte) : next++;
    alphabet.character[byte] = character;
    alphabet.byte[character] = byte;
  }
  return alphabet;
}

const Alphabet& alphabet() {
  static const Alphabet instance = make_alphabet();
  return instance;
}

}  // namespace

std::string alphabet_character(unsigned char byte) {
  std::string out;
  append_utf8(alphabet().character[byte], out);
  return out;
}

std::optional<std::string> alphabet_bytes(std::string_view content) {
  std::string bytes;
  for (std::size_t at = 0; at < content.size();) {
    const Utf8Step step = utf8_step(content, at);
    if (!step.valid || step.code_point >= alphabet().byte.size()) return std::nullopt;
    const int byte = alphabet().byte[step.code_point];
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
    at += step.length;
  }
  return bytes;
}

}  // namespace polar::text
