#pragma once
// A small tokenizer.json of a BERT encoder, for tests.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace polar::test {

using nlohmann::json;

/// Ids in order. The vocabulary must hold [UNK], [CLS] and [SEP]; words of more than 12 characters are unknown.
inline json word_piece_json(const std::vector<std::string>& vocabulary) {
  json ids = json::object(), added = json::array();
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    ids[vocabulary[id]] = id;
    if (vocabulary[id].starts_with('[') && vocabulary[id].size() > 1) {
      added.push_back({{"id", id},
                       {"content", vocabulary[id]},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", true}});
    }
  }
  const auto special = [&](const std::string& name) {
    return json{{"id", name}, {"ids", {ids.at(name)}}, {"tokens", {name}}};
  };
  const auto marked = [](const std::string& name) { return json{{"SpecialToken", {{"id", name}, {"type_id", 0}}}}; };
  return {{"version", "1.0"},
          {"added_tokens", added},
          {"normalizer",
           {{"type", "BertNormalizer"},
            {"clean_text", true},
            {"handle_chinese_chars", true},
            {"strip_accents", nullptr},
            {"lowercase", true}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", {marked("[CLS]"), {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, marked("[SEP]")}},
            {"special_tokens", {{"[CLS]", special("[CLS]")}, {"[SEP]", special("[SEP]")}}}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 12},
            {"vocab", ids}}}};
}

}  // namespace polar::test
