#pragma once
// Byte-level BPE tokenizer read from a Hugging Face tokenizer.json.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace polar::text {

using Token = std::int32_t;

/// Ids equal those of the Hugging Face `tokenizers` library with add_special_tokens=False, for byte-level BPE with the
/// pre-tokenizers of GPT-2, Llama-3, Qwen2 and SmolLM2 (Sequence of Split/Digits/ByteLevel), normaliser none or NFC,
/// added and special tokens, a start token by template. Any other component is refused by name. Immutable after
/// loading: encode and decode are thread-safe.
class Tokenizer {
 public:
  /// Throws Error: file, component, expected, found.
  static Tokenizer load(const std::filesystem::path& tokenizer_json);

  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// What the model's inputs begin with, before any text (Llama-3: its start token). encode() leaves it out, and a chat
  /// template writes it itself.
  std::span<const Token> prefix() const;

  /// Special tokens written out in the text (`<|im_start|>`) become their ids, as in Hugging Face. Invalid UTF-8 is
  /// read as U+FFFD per maximal invalid subpart, as Python's errors="replace" does.
  std::vector<Token> encode(std::string_view text) const;

  /// Text of the tokens; invalid UTF-8 becomes U+FFFD. Special tokens are left out when skip_special, and ids that no
  /// token has always, as in Hugging Face (a model's output may be wider than its tokenizer).
  std::string decode(std::span<const Token> tokens, bool skip_special = true) const;

  /// The raw bytes a token stands for (no replacement; empty for an id that no token has): concatenation over tokens
  /// gives decode() before UTF-8 repair. Special tokens give their content. Valid as long as the tokenizer. Throws
  /// Error for an id outside [0, vocabulary_size()).
  std::string_view token_bytes(Token token) const;
  bool is_special(Token token) const;

  int vocabulary_size() const;
  /// Id of a token by its exact content as written in tokenizer.json; -1 when absent.
  Token id_of(std::string_view content) const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Decodes a growing token sequence: gives out text only once its UTF-8 is complete, so that a character spread over
/// several tokens never appears as U+FFFD. Concatenated output plus flush() equals Tokenizer::decode of all tokens.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true);
  std::string push(Token token);
  std::string flush();

 private:
  const Tokenizer* tokenizer_;
  bool skip_special_;
  std::string pending_;
};

}  // namespace polar::text
