#pragma once
// What a tokenizer.json says, checked: everything that polar's tokenizer does not do is refused here, by name.

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace polar::text {

struct AddedToken {
  Token id = 0;
  std::string content;
  bool normalized = false;  ///< looked for in the normalised text; otherwise in the text as given
  bool special = false;     ///< left out by decode(skip_special)
};

/// One merge rule; its rank is its place in the list.
struct Merge {
  Token left = 0, right = 0, merged = 0;
};

struct TokenizerSpec {
  std::unordered_map<std::string, Token>
      vocabulary;  ///< of the model, contents as written; ids distinct, 0 … kMaxVocabulary-1
  std::vector<Merge> merges;
  std::vector<AddedToken> added;           ///< contents distinct and not empty
  std::vector<std::string> pre_tokenizer;  ///< split patterns in order, each for Splitter
  std::vector<Token> prefix;               ///< what the post-processor puts before a text, such as a start token
  Token unknown = -1;                      ///< for bytes missing from the vocabulary; -1 = they are dropped
  bool ignore_merges = false;              ///< a whole word of the vocabulary is taken before merging
  bool nfc = false;

  static constexpr Token kMaxVocabulary = 1 << 24;
};

/// Reads and checks the file. Throws Error "file: component: expected …, found …".
TokenizerSpec read_tokenizer_json(const std::filesystem::path& path);

}  // namespace polar::text
