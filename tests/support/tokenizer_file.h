#pragma once
// Small tokenizer.json files for tests: the 256 bytes in order as ids 0 … 255, a token for each merge after them, then
// added tokens.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"
#include "support/temporary_folder.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer.h"

namespace polar::test {

using nlohmann::json;

/// The alphabet form of raw bytes: " a" is "Ġa".
inline std::string alphabet_form(const std::string& bytes) {
  std::string content;
  for (const char byte : bytes) content += text::alphabet_character(static_cast<unsigned char>(byte));
  return content;
}

inline json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}
inline json gpt2_pre_tokenizer() {
  return byte_level(true);
}
inline json smollm2_pre_tokenizer() {
  return {{"type", "Sequence"},
          {"pretokenizers", {{{"type", "Digits"}, {"individual_digits", true}}, byte_level(true)}}};
}
inline json split_pre_tokenizer(std::string_view regex) {
  const json split = {
      {"type", "Split"}, {"pattern", {{"Regex", std::string(regex)}}}, {"behavior", "Isolated"}, {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(false)}}};
}

inline json added_token(int id, const std::string& content, bool special, bool normalized = false) {
  return {{"id", id},        {"content", content}, {"single_word", false},    {"lstrip", false},
          {"rstrip", false}, {"special", special}, {"normalized", normalized}};
}

/// merges are pairs of raw bytes; the i-th distinct result gets id 256 + i.
inline json tokenizer_json(json pre_tokenizer, const std::vector<std::pair<std::string, std::string>>& merges) {
  json vocabulary = json::object();
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[text::alphabet_character(static_cast<unsigned char>(byte))] = byte;
  }
  json rules = json::array();
  for (const auto& [left, right] : merges) {
    rules.push_back({alphabet_form(left), alphabet_form(right)});
    const std::string merged = alphabet_form(left + right);
    if (!vocabulary.contains(merged)) {
      const auto id = vocabulary.size();
      vocabulary[merged] = id;
    }
  }
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", std::move(pre_tokenizer)},
          {"post_processor", {{"type", "ByteLevel"}}},
          {"decoder", byte_level(true)},
          {"model",
           {{"type", "BPE"}, {"dropout", nullptr}, {"unk_token", nullptr}, {"vocab", vocabulary}, {"merges", rules}}}};
}

/// A post-processor that puts the token before every text, as Llama-3 has it.
inline json start_with(int id, const std::string& content) {
  return {{"type", "TemplateProcessing"},
          {"single", {{{"SpecialToken", {{"id", content}}}}, {{"Sequence", {{"id", "A"}}}}}},
          {"special_tokens", {{content, {{"id", content}, {"ids", {id}}, {"tokens", {content}}}}}}};
}

/// Loads the description from a temporary file.
inline text::Tokenizer load_tokenizer(const json& description) {
  const TemporaryFolder folder;
  core::write_file(folder / "tokenizer.json", description.dump());
  return text::Tokenizer::load(folder / "tokenizer.json");
}

}  // namespace polar::test
