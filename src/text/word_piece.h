#pragma once
// WordPiece tokenizer of BERT encoders, read from a Hugging Face tokenizer.json.

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace polar::text {

/// Ids equal those of the Hugging Face `tokenizers` library, start and end token included, without truncation and
/// padding, for WordPiece with BertNormalizer, BertPreTokenizer and a template [CLS] A [SEP]; up to characters whose
/// Unicode category differs between versions. Added tokens (`[SEP]`) written out in a text become their ids. Any other
/// component is refused by name. Immutable, thread-safe.
class WordPiece {
 public:
  /// Throws core::Error: file, component, expected, found.
  static WordPiece load(const std::filesystem::path& tokenizer_json);

  /// At least start and end token. Invalid UTF-8 is read as U+FFFD, which the normaliser drops.
  std::vector<Token> encode(std::string_view text) const;

 private:
  WordPiece() = default;
  void add_text(std::string_view text, std::vector<Token>& tokens) const;
  void add_word(const std::u32string& word, std::vector<Token>& tokens) const;

  struct Normalizer {
    bool clean = true, space_chinese = true, strip_accents = true, lowercase = true;
  };
  std::u32string normalised(std::string_view text) const;

  std::unordered_map<std::string, Token> vocabulary_;
  std::vector<std::pair<std::string, Token>> added_;  ///< content and id
  Normalizer normalizer_;
  std::string continuing_;
  std::size_t longest_word_ = 100;  ///< characters; a longer word is unknown
  Token unknown_ = 0;
  std::vector<Token> before_, after_;
};

}  // namespace polar::text
