#include "text/word_piece.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "text/utf8.h"

namespace polar::text {
namespace {

using nlohmann::json;

/// Names file and component in every error.
class WordPieceReader {
 public:
  WordPieceReader(const json& root, const std::filesystem::path& file) : root_(root), file_(file) {}

  [[noreturn]] void refuse(const std::string& component, const std::string& expected) const {
    const json::json_pointer pointer("/" + component);
    const std::string found = root_.contains(pointer) ? root_.at(pointer).dump().substr(0, 80) : "nothing";
    throw core::Error(fmt::format("{}: {}: expected {}, found {}; WordPiece as BERT has it is supported",
                                  file_.string(), component, expected, found));
  }
  /// `component` with slashes between its keys.
  const json& at(const std::string& component, const std::string& expected) const {
    const json::json_pointer pointer("/" + component);
    if (!root_.contains(pointer)) refuse(component, expected);
    return root_.at(pointer);
  }
  void require(const std::string& component, const json& value) const {
    if (at(component, value.dump()) != value) refuse(component, value.dump());
  }
  template <typename T>
  T get(const std::string& component, const std::string& expected) const {
    try {
      return at(component, expected).get<T>();
    } catch (const json::exception&) {
      refuse(component, expected);
    }
  }
  bool flag(const std::string& component) const { return get<bool>(component, "true or false"); }

 private:
  const json& root_;
  const std::filesystem::path& file_;
};

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool is_control(char32_t c) {
  if (c == U'\t' || c == U'\n' || c == U'\r') return false;
  const utf8proc_category_t kind = category(c);
  return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_CN ||
         kind == UTF8PROC_CATEGORY_CO || kind == UTF8PROC_CATEGORY_CS;
}

/// White_Space of Unicode.
bool is_space(char32_t c) {
  if (c == U'\x85' || (c >= U'\t' && c <= U'\r')) return true;
  const utf8proc_category_t kind = category(c);
  return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL || kind == UTF8PROC_CATEGORY_ZP;
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return c > 0x20 && c < 0x7F && !((c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z'));
  const utf8proc_category_t kind = category(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

bool is_chinese(char32_t c) {
  constexpr std::pair<char32_t, char32_t> kBlocks[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF},
                                                       {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF},
                                                       {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
  return std::ranges::any_of(kBlocks, [c](const auto& block) { return c >= block.first && c <= block.second; });
}

std::u32string code_points(std::string_view text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    result += step.valid ? step.code_point : U'\uFFFD';
    at += step.length;
  }
  return result;
}

/// Canonical decomposition, without the marks that stand over letters.
std::u32string without_accents(const std::u32string& text) {
  std::string bytes;
  for (const char32_t c : text) append_utf8(c, bytes);
  utf8proc_uint8_t* decomposed = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()), static_cast<utf8proc_ssize_t>(bytes.size()),
                   &decomposed, static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(decomposed, &std::free);
  if (size < 0)
    throw core::Error(fmt::format("word pieces: expected text that decomposes, found: {}", utf8proc_errmsg(size)));
  std::u32string result = code_points({reinterpret_cast<const char*>(decomposed), static_cast<std::size_t>(size)});
  std::erase_if(result, [](char32_t c) { return category(c) == UTF8PROC_CATEGORY_MN; });
  return result;
}

void append_lower(char32_t c, std::u32string& out) {
  if (c == U'\u0130') {  // the one letter whose lower case is two characters
    out += U"i\u0307";
  } else {
    out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  }
}

}  // namespace

WordPiece WordPiece::load(const std::filesystem::path& tokenizer_json) {
  const json root = json::parse(core::read_file(tokenizer_json), nullptr, false);
  if (root.is_discarded() || !root.is_object())
    throw core::Error(fmt::format("{}: expected a JSON object, found something else", tokenizer_json.string()));
  const WordPieceReader reader(root, tokenizer_json);
  reader.require("model/type", "WordPiece");
  reader.require("normalizer/type", "BertNormalizer");
  reader.require("pre_tokenizer/type", "BertPreTokenizer");
  reader.require("post_processor/type", "TemplateProcessing");
  WordPiece pieces;
  pieces.vocabulary_ = reader.get<std::unordered_map<std::string, Token>>("model/vocab", "an object of token: id");
  pieces.continuing_ = reader.get<std::string>("model/continuing_subword_prefix", "a string");
  pieces.longest_word_ = reader.get<std::size_t>("model/max_input_chars_per_word", "an integer >= 0");
  const auto unknown = pieces.vocabulary_.find(reader.get<std::string>("model/unk_token", "a string"));
  if (unknown == pieces.vocabulary_.end()) reader.refuse("model/unk_token", "a token of the vocabulary");
  pieces.unknown_ = unknown->second;
  Normalizer& normalizer = pieces.normalizer_;
  normalizer.clean = reader.flag("normalizer/clean_text");
  normalizer.space_chinese = reader.flag("normalizer/handle_chinese_chars");
  normalizer.lowercase = reader.flag("normalizer/lowercase");
  const json& strip = reader.at("normalizer/strip_accents", "true, false or null");
  normalizer.strip_accents = strip.is_null() ? normalizer.lowercase : reader.flag("normalizer/strip_accents");
  const json& added = reader.at("added_tokens", "a list");
  for (std::size_t i = 0; i < added.size(); ++i) {
    const std::string here = fmt::format("added_tokens/{}", i);
    for (const char* key : {"single_word", "lstrip", "rstrip", "normalized"}) reader.require(here + '/' + key, false);
    pieces.added_.emplace_back(reader.get<std::string>(here + "/content", "a string"),
                               reader.get<Token>(here + "/id", "an integer"));
  }
  bool behind = false;
  const json& single = reader.at("post_processor/single", "a list");
  if (!single.is_array()) reader.refuse("post_processor/single", "a list");
  for (std::size_t i = 0; i < single.size(); ++i) {
    const std::string here = fmt::format("post_processor/single/{}", i);
    if (single[i].contains("Sequence")) {
      behind = true;
      continue;
    }
    const auto name = reader.get<std::string>(here + "/SpecialToken/id", "a special token");
    if (name.find_first_of("/~") != std::string::npos)
      reader.refuse(here + "/SpecialToken/id", "a name without / and ~");
    const auto ids = reader.get<std::vector<Token>>("post_processor/special_tokens/" + name + "/ids", "a list of ids");
    std::vector<Token>& side = behind ? pieces.after_ : pieces.before_;
    side.insert(side.end(), ids.begin(), ids.end());
  }
  if (!behind) reader.refuse("post_processor/single", "a Sequence in it");
  return pieces;
}

std::vector<Token> WordPiece::encode(std::string_view text) const {
  std::vector<Token> tokens = before_;
  for (;;) {
    // The added token that comes first; of those that begin there, the longest.
    std::size_t first = std::string_view::npos;
    const std::pair<std::string, Token>* found = nullptr;
    for (const auto& one : added_) {
      const std::size_t at = text.find(one.first);
      if (at == std::string_view::npos) continue;
      if (found == nullptr || at < first || (at == first && one.first.size() > found->first.size())) {
        first = at;
        found = &one;
      }
    }
    add_text(text.substr(0, first), tokens);
    if (found == nullptr) break;
    tokens.push_back(found->second);
    text.remove_prefix(first + found->first.size());
  }
  tokens.insert(tokens.end(), after_.begin(), after_.end());
  return tokens;
}

std::u32string WordPiece::normalised(std::string_view text) const {
  std::u32string result;
  for (const char32_t c : code_points(text)) {
    if (normalizer_.clean && (c == 0 || c == U'\uFFFD' || is_control(c))) continue;
    if (normalizer_.clean && is_space(c)) {
      result += U' ';
    } else if (normalizer_.space_chinese && is_chinese(c)) {
      result += {U' ', c, U' '};
    } else {
      result += c;
    }
  }
  if (normalizer_.strip_accents) result = without_accents(result);
  if (!normalizer_.lowercase) return result;
  std::u32string lower;
  for (const char32_t c : result) append_lower(c, lower);
  return lower;
}

void WordPiece::add_text(std::string_view text, std::vector<Token>& tokens) const {
  std::u32string word;
  const auto finish = [&] {
    if (!word.empty()) add_word(word, tokens);
    word.clear();
  };
  for (const char32_t c : normalised(text)) {
    if (is_space(c)) {
      finish();
    } else if (is_punctuation(c)) {
      finish();
      add_word({c}, tokens);
    } else {
      word += c;
    }
  }
  finish();
}

/// Greedily the longest piece of the vocabulary, from the left; a word that does not come out whole is unknown.
void WordPiece::add_word(const std::u32string& word, std::vector<Token>& tokens) const {
  if (word.size() > longest_word_) {
    tokens.push_back(unknown_);
    return;
  }
  std::vector<Token> pieces;
  for (std::size_t begin = 0; begin < word.size();) {
    std::vector<std::string> prefixes = {begin == 0 ? std::string() : continuing_};  // of the rest, ever longer
    for (std::size_t i = begin; i < word.size(); ++i) append_utf8(word[i], prefixes.emplace_back(prefixes.back()));
    std::size_t length = word.size() - begin;
    auto found = vocabulary_.end();
    while (length > 0 && (found = vocabulary_.find(prefixes[length])) == vocabulary_.end()) --length;
    if (length == 0) {
      tokens.push_back(unknown_);
      return;
    }
    pieces.push_back(found->second);
    begin += length;
  }
  tokens.insert(tokens.end(), pieces.begin(), pieces.end());
}

}  // namespace polar::text
