#include "text/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_set>

#include "core/error.h"
#include "core/file.h"
#include "text/byte_alphabet.h"
#include "text/normalize.h"
#include "text/splitter.h"

namespace polar::text {

namespace {

using nlohmann::json;

/// Reads one file; `component` names the place in it ("model.dropout").
class Reader {
 public:
  explicit Reader(std::filesystem::path path) : path_(std::move(path)) {}

  TokenizerSpec read();

 private:
  [[noreturn]] void refuse(std::string_view component, std::string_view expected, std::string_view found) const {
    throw core::Error(fmt::format(
        "{}: {}: expected {}, found {}: polar runs byte-level BPE tokenizers as GPT-2, Llama-3, Qwen2 and SmolLM2 have "
        "them; use a model with such a tokenizer",
        path_.string(), component, expected, found));
  }
  [[noreturn]] void refuse(std::string_view component, std::string_view expected, const json& found) const {
    constexpr std::size_t kShown = 120;
    std::string text = found.is_discarded() ? "nothing" : found.dump(-1, ' ', true);
    if (text.size() > kShown) text = text.substr(0, kShown) + "…";
    refuse(component, expected, std::string_view(text));
  }

  /// The member, or a discarded value when absent.
  static const json& member(const json& object, const char* key) {
    static const json absent(json::value_t::discarded);
    const auto it = object.find(key);
    return it == object.end() ? absent : *it;
  }
  static bool absent_or_null(const json& value) { return value.is_discarded() || value.is_null(); }

  bool flag(const json& object, const std::string& component, const char* key, bool absent) const;
  void require_flag(const json& object, const std::string& component, const char* key, bool absent, bool wanted) const;
  std::string type_of(const json& object, const std::string& component, std::string_view expected) const;

  void read_settings(const json& root);
  void read_normalizer(const json& normalizer);
  void read_pre_tokenizer(const json& pre_tokenizer);
  void read_pre_tokenizer_step(const json& step, const std::string& component, bool last);
  void read_split(const json& step, const std::string& component);
  void read_model(const json& model);
  void read_vocabulary(const json& vocabulary);
  void read_unknown(const json& model);
  void read_merges(const json& merges);
  Merge read_merge(const json& merge, const std::string& component) const;
  void read_added_tokens(const json& tokens);
  void read_post_processor(const json& processor, const std::string& component);
  void read_template(const json& processor, const std::string& component);
  std::vector<Token> read_special_token(const json& processor, const std::string& component, const json& name) const;
  AddedToken read_added_token(const json& token, const std::string& component) const;

  std::filesystem::path path_;
  TokenizerSpec spec_;
};

bool Reader::flag(const json& object, const std::string& component, const char* key, bool absent) const {
  const json& value = member(object, key);
  if (absent_or_null(value)) return absent;
  if (!value.is_boolean()) refuse(component + "." + key, "true or false", value);
  return value.get<bool>();
}

void Reader::require_flag(const json& object, const std::string& component, const char* key, bool absent,
                          bool wanted) const {
  if (flag(object, component, key, absent) != wanted) {
    refuse(component + "." + key, wanted ? "true" : "false", std::string_view(wanted ? "false" : "true"));
  }
}

std::string Reader::type_of(const json& object, const std::string& component, std::string_view expected) const {
  if (!object.is_object()) refuse(component, expected, object);
  const json& type = member(object, "type");
  if (!type.is_string()) refuse(component + ".type", expected, type);
  return type.get<std::string>();
}

TokenizerSpec Reader::read() {
  json root;
  try {
    root = json::parse(core::read_file(path_));
  } catch (const json::parse_error& error) {
    throw core::Error(
        fmt::format("{}: expected a Hugging Face tokenizer.json, found broken JSON: {}: export the model again",
                    path_.string(), error.what()));
  }
  if (!root.is_object()) refuse("file", "a JSON object", root);
  read_settings(root);
  read_normalizer(member(root, "normalizer"));
  read_pre_tokenizer(member(root, "pre_tokenizer"));
  read_model(member(root, "model"));
  read_added_tokens(member(root, "added_tokens"));
  read_post_processor(member(root, "post_processor"), "post_processor");
  if (const std::string type = type_of(member(root, "decoder"), "decoder", "ByteLevel"); type != "ByteLevel") {
    refuse("decoder.type", "ByteLevel", std::string_view(type));
  }
  return std::move(spec_);
}

void Reader::read_settings(const json& root) {
  if (const json& version = member(root, "version"); version != json("1.0")) refuse("version", "\"1.0\"", version);
  for (const char* key : {"truncation", "padding"}) {
    if (const json& value = member(root, key); !absent_or_null(value)) refuse(key, "null", value);
  }
}

void Reader::read_normalizer(const json& normalizer) {
  if (absent_or_null(normalizer)) return;
  const std::string type = type_of(normalizer, "normalizer", "null or NFC");
  if (type != "NFC") refuse("normalizer.type", "null or NFC", std::string_view(type));
  spec_.nfc = true;
}

void Reader::read_pre_tokenizer(const json& pre_tokenizer) {
  const std::string component = "pre_tokenizer";
  const std::string type = type_of(pre_tokenizer, component, "ByteLevel, or Sequence of Split, Digits and ByteLevel");
  if (type != "Sequence") return read_pre_tokenizer_step(pre_tokenizer, component, true);
  const json& steps = member(pre_tokenizer, "pretokenizers");
  if (!steps.is_array() || steps.empty()) refuse(component + ".pretokenizers", "a list of pre-tokenizers", steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    read_pre_tokenizer_step(steps[i], fmt::format("{}.pretokenizers[{}]", component, i), i + 1 == steps.size());
  }
}

void Reader::read_pre_tokenizer_step(const json& step, const std::string& component, bool last) {
  constexpr std::string_view kAtEnd = "ByteLevel as the last pre-tokenizer",
                             kBefore = "Split or Digits before the last pre-tokenizer";
  const std::string type = type_of(step, component, last ? kAtEnd : kBefore);
  if (last != (type == "ByteLevel")) refuse(component + ".type", last ? kAtEnd : kBefore, std::string_view(type));
  if (type == "ByteLevel") {
    require_flag(step, component, "add_prefix_space", true, false);
    if (flag(step, component, "use_regex", true)) spec_.pre_tokenizer.emplace_back(kGpt2Pattern);
  } else if (type == "Digits") {
    require_flag(step, component, "individual_digits", false, true);
    spec_.pre_tokenizer.emplace_back(kDigitPattern);
  } else if (type == "Split") {
    read_split(step, component);
  } else {
    refuse(component + ".type", kBefore, std::string_view(type));
  }
}

void Reader::read_split(const json& step, const std::string& component) {
  const json& pattern = member(step, "pattern");
  const json& regex = pattern.is_object() ? member(pattern, "Regex") : pattern;
  bool known = false;
  for (const std::string_view candidate : {kGpt2Pattern, kLlama3Pattern, kQwen2Pattern}) {
    known = known || (regex.is_string() && regex.get_ref<const std::string&>() == candidate);
  }
  if (!known) refuse(component + ".pattern", "the Regex of GPT-2, Llama-3 or Qwen2", pattern);
  if (const json& behavior = member(step, "behavior"); behavior != json("Isolated")) {
    refuse(component + ".behavior", "\"Isolated\"", behavior);
  }
  require_flag(step, component, "invert", false, false);
  spec_.pre_tokenizer.push_back(regex.get<std::string>());
}

void Reader::read_model(const json& model) {
  if (const std::string type = type_of(model, "model", "BPE"); type != "BPE") {
    refuse("model.type", "BPE", std::string_view(type));
  }
  if (const json& dropout = member(model, "dropout");
      !absent_or_null(dropout) && !(dropout.is_number() && dropout.get<double>() == 0)) {
    refuse("model.dropout", "null", dropout);
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (const json& value = member(model, key); !absent_or_null(value) && value != json("")) {
      refuse(fmt::format("model.{}", key), "null", value);
    }
  }
  require_flag(model, "model", "byte_fallback", false, false);
  spec_.ignore_merges = flag(model, "model", "ignore_merges", false);
  read_vocabulary(member(model, "vocab"));
  read_unknown(model);
  read_merges(member(model, "merges"));
}

void Reader::read_vocabulary(const json& vocabulary) {
  if (!vocabulary.is_object() || vocabulary.empty()) refuse("model.vocab", "an object of token: id", vocabulary);
  std::unordered_set<std::int64_t> seen;
  spec_.vocabulary.reserve(vocabulary.size());
  for (const auto& [content, id] : vocabulary.items()) {
    const auto component = [&] { return fmt::format("model.vocab[{}]", json(content).dump()); };
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= TokenizerSpec::kMaxVocabulary) {
      refuse(component(), fmt::format("an id in 0 … {}", TokenizerSpec::kMaxVocabulary - 1), id);
    }
    if (!seen.insert(id.get<std::int64_t>()).second) refuse(component(), "an id of its own", id);
    spec_.vocabulary.emplace(content, id.get<Token>());
  }
}

/// Bytes missing from the vocabulary: Hugging Face drops them without unk_token, and else writes one unknown token for
/// each.
void Reader::read_unknown(const json& model) {
  const json& unknown = member(model, "unk_token");
  if (absent_or_null(unknown)) return;
  bool complete = true;
  for (int byte = 0; byte < 256; ++byte) {
    complete = complete && spec_.vocabulary.contains(alphabet_character(static_cast<unsigned char>(byte)));
  }
  if (complete) return;  // never needed
  const auto it = unknown.is_string() ? spec_.vocabulary.find(unknown.get<std::string>()) : spec_.vocabulary.end();
  if (it == spec_.vocabulary.end())
    refuse("model.unk_token", "a token of the vocabulary, which lacks some bytes", unknown);
  require_flag(model, "model", "fuse_unk", false, false);
  spec_.unknown = it->second;
}

void Reader::read_merges(const json& merges) {
  if (!merges.is_array()) refuse("model.merges", "a list of merges", merges);
  spec_.merges.reserve(merges.size());
  for (std::size_t i = 0; i < merges.size(); ++i) {
    if (merges[i].is_string() && merges[i].get_ref<const std::string&>().starts_with("#version")) continue;
    spec_.merges.push_back(read_merge(merges[i], fmt::format("model.merges[{}]", i)));
  }
}

Merge Reader::read_merge(const json& merge, const std::string& component) const {
  constexpr std::string_view kExpected = "\"a b\" or [\"a\", \"b\"]";
  std::string left, right;
  if (merge.is_string()) {
    const std::string& text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
      refuse(component, kExpected, merge);
    left = text.substr(0, space);
    right = text.substr(space + 1);
  } else {
    if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
      refuse(component, kExpected, merge);
    }
    left = merge[0].get<std::string>();
    right = merge[1].get<std::string>();
  }
  const auto id = [&](const std::string& content) {
    const auto it = spec_.vocabulary.find(content);
    if (it == spec_.vocabulary.end()) {
      refuse(component, fmt::format("token {} in the vocabulary", json(content).dump()),
             std::string_view("no such token"));
    }
    return it->second;
  };
  return {id(left), id(right), id(left + right)};
}

void Reader::read_added_tokens(const json& tokens) {
  if (absent_or_null(tokens)) return;
  if (!tokens.is_array()) refuse("added_tokens", "a list of added tokens", tokens);
  std::unordered_set<std::string> contents;
  // Hugging Face does not believe the file: a token of the vocabulary keeps its id there, others are numbered on.
  auto next = static_cast<Token>(spec_.vocabulary.size());
  std::unordered_set<Token> model_ids;
  for (const auto& [content, id] : spec_.vocabulary) model_ids.insert(id);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string component = fmt::format("added_tokens[{}]", i);
    AddedToken token = read_added_token(tokens[i], component);
    if (!contents.insert(token.content).second) refuse(component + ".content", "a content of its own", tokens[i]);
    const auto in_vocabulary = spec_.vocabulary.find(token.content);
    const bool fresh = in_vocabulary == spec_.vocabulary.end();
    const Token expected = fresh ? next++ : in_vocabulary->second;
    if (token.id != expected) {
      refuse(component + ".id", fmt::format("{}, as Hugging Face numbers it", expected), tokens[i]["id"]);
    }
    if (fresh && model_ids.contains(token.id)) refuse(component + ".id", "an id of its own", tokens[i]["id"]);
    spec_.added.push_back(std::move(token));
  }
}

/// ByteLevel changes offsets alone. Of a template, the tokens before a single text count: pairs are never encoded.
void Reader::read_post_processor(const json& processor, const std::string& component) {
  if (absent_or_null(processor)) return;
  constexpr std::string_view kExpected = "null, ByteLevel, TemplateProcessing, or a Sequence of these";
  const std::string type = type_of(processor, component, kExpected);
  if (type == "ByteLevel") return;
  if (type == "TemplateProcessing") return read_template(processor, component);
  if (type != "Sequence") refuse(component + ".type", kExpected, std::string_view(type));
  const json& steps = member(processor, "processors");
  if (!steps.is_array()) refuse(component + ".processors", "a list of post-processors", steps);
  for (std::size_t i = 0; i < steps.size(); ++i)
    read_post_processor(steps[i], fmt::format("{}.processors[{}]", component, i));
}

void Reader::read_template(const json& processor, const std::string& component) {
  const std::string single = component + ".single";
  constexpr std::string_view kExpected = "special tokens, then the text A, then nothing";
  const json& pieces = member(processor, "single");
  if (!pieces.is_array() || pieces.empty()) refuse(single, kExpected, pieces);
  std::vector<Token> prefix;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool last = i + 1 == pieces.size();
    const json& piece = pieces[i].is_object() ? member(pieces[i], last ? "Sequence" : "SpecialToken") : pieces[i];
    const json& name = piece.is_object() ? member(piece, "id") : piece;
    if (!name.is_string() || (last && name != json("A"))) refuse(single, kExpected, pieces);
    if (last) break;
    const std::vector<Token> ids = read_special_token(processor, component, name);
    prefix.insert(prefix.end(), ids.begin(), ids.end());
  }
  spec_.prefix.insert(spec_.prefix.begin(), prefix.begin(), prefix.end());  // a later step goes around an earlier one
}

std::vector<Token> Reader::read_special_token(const json& processor, const std::string& component,
                                              const json& name) const {
  const std::string place = fmt::format("{}.special_tokens[{}].ids", component, name.dump());
  const json& tokens = member(processor, "special_tokens");
  const json& token = tokens.is_object() ? member(tokens, name.get_ref<const std::string&>().c_str()) : tokens;
  const json& ids = token.is_object() ? member(token, "ids") : token;
  constexpr std::string_view kExpected = "ids of tokens that this file has";
  if (!ids.is_array() || ids.empty()) refuse(place, kExpected, ids);
  std::vector<Token> found;
  for (const json& id : ids) {
    const auto has_id = [&](const auto& has) { return id == json(has); };
    const bool known = std::ranges::any_of(spec_.added, has_id, &AddedToken::id) ||
                       std::ranges::any_of(spec_.vocabulary, [&](const auto& entry) { return has_id(entry.second); });
    if (!id.is_number_unsigned() || !known) refuse(place, kExpected, id);
    found.push_back(id.get<Token>());
  }
  return found;
}

AddedToken Reader::read_added_token(const json& token, const std::string& component) const {
  if (!token.is_object()) refuse(component, "an added token", token);
  const json& id = member(token, "id");
  if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= TokenizerSpec::kMaxVocabulary) {
    refuse(component + ".id", fmt::format("an id in 0 … {}", TokenizerSpec::kMaxVocabulary - 1), id);
  }
  const json& content = member(token, "content");
  if (!content.is_string() || content.get_ref<const std::string&>().empty()) {
    refuse(component + ".content", "a text that is not empty", content);
  }
  for (const char* key : {"lstrip", "rstrip", "single_word"}) require_flag(token, component, key, false, false);
  AddedToken result{id.get<Token>(), content.get<std::string>(), flag(token, component, "normalized", true),
                    flag(token, component, "special", false)};
  if (spec_.nfc && result.normalized && normalize_nfc(result.content) != result.content) {
    refuse(component + ".content", "a text in NFC", content);
  }
  return result;
}

}  // namespace

TokenizerSpec read_tokenizer_json(const std::filesystem::path& path) {
  return Reader(path).read();
}

}  // namespace polar::text
