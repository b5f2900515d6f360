#include "text/tokenizer_json.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "support/message_of.h"
#include "support/tokenizer_file.h"
#include "text/splitter.h"

namespace polar::text {
namespace {

using nlohmann::json;
using test::added_token;

/// A Llama-3-like description with an added token: every check has something to look at.
json good() {
  json description = test::tokenizer_json(test::split_pre_tokenizer(kLlama3Pattern), {{"a", "b"}});
  description["added_tokens"] = {added_token(257, "<|x|>", true)};
  return description;
}

std::string refusal(const std::function<void(json&)>& change) {
  json description = good();
  change(description);
  const test::TemporaryFolder folder;
  core::write_file(folder / "t.json", description.dump());
  return test::message_of<core::Error>([&] { read_tokenizer_json(folder / "t.json"); });
}

/// Changes the value at a JSON pointer and expects a refusal that names file, component, expectation and finding.
void expect_refusal(const std::string& pointer, json value, const std::string& component, const std::string& expected,
                    const std::string& found) {
  const std::string message = refusal([&](json& d) { d[json::json_pointer(pointer)] = value; });
  EXPECT_NE(message.find("t.json: " + component + ": expected " + expected), std::string::npos) << message;
  EXPECT_NE(message.find("found " + found), std::string::npos) << message;
}

TEST(TokenizerJson, ReadsASupportedFile) {
  const test::TemporaryFolder folder;
  core::write_file(folder / "t.json", good().dump());
  const TokenizerSpec spec = read_tokenizer_json(folder / "t.json");
  EXPECT_EQ(spec.vocabulary.size(), 257u);
  EXPECT_EQ(spec.merges.size(), 1u);
  EXPECT_EQ(spec.merges[0].merged, 256);
  EXPECT_EQ(spec.added.size(), 1u);
  EXPECT_EQ(spec.pre_tokenizer, std::vector<std::string>{std::string(kLlama3Pattern)});
  EXPECT_FALSE(spec.nfc);
}

TEST(TokenizerJson, RefusesOtherNormalizers) {
  expect_refusal("/normalizer", {{"type", "Lowercase"}}, "normalizer.type", "null or NFC", "Lowercase");
  expect_refusal("/normalizer", {{"type", "Sequence"}}, "normalizer.type", "null or NFC", "Sequence");
  expect_refusal("/normalizer", "NFC", "normalizer", "null or NFC", "\"NFC\"");
}

TEST(TokenizerJson, RefusesOtherPreTokenizers) {
  expect_refusal("/pre_tokenizer", {{"type", "Metaspace"}}, "pre_tokenizer.type", "ByteLevel", "Metaspace");
  expect_refusal("/pre_tokenizer", nullptr, "pre_tokenizer", "ByteLevel", "null");
  const std::string steps = "/pre_tokenizer/pretokenizers", named = "pre_tokenizer.pretokenizers";
  expect_refusal(steps, json::array(), named, "a list of pre-tokenizers", "[]");
  expect_refusal(steps + "/0/type", "Whitespace", named + "[0].type", "Split or Digits", "Whitespace");
  expect_refusal(steps + "/0", test::byte_level(true), named + "[0].type", "Split or Digits", "ByteLevel");
  expect_refusal(steps + "/1/type", "Digits", named + "[1].type", "ByteLevel as the last", "Digits");
  expect_refusal(steps + "/1/add_prefix_space", true, named + "[1].add_prefix_space", "false", "true");
  expect_refusal(steps + "/1/use_regex", 1, named + "[1].use_regex", "true or false", "1");
  expect_refusal(steps + "/0", {{"type", "Digits"}, {"individual_digits", false}}, named + "[0].individual_digits",
                 "true", "false");
}

TEST(TokenizerJson, RefusesOtherSplits) {
  const std::string split = "/pre_tokenizer/pretokenizers/0", named = "pre_tokenizer.pretokenizers[0]";
  expect_refusal(split + "/pattern/Regex", "\\w+", named + ".pattern", "the Regex of GPT-2, Llama-3 or Qwen2",
                 R"({"Regex":"\\w+"})");
  expect_refusal(split + "/pattern", {{"String", " "}}, named + ".pattern", "the Regex of", R"({"String":" "})");
  expect_refusal(split + "/behavior", "Removed", named + ".behavior", "\"Isolated\"", "\"Removed\"");
  expect_refusal(split + "/invert", true, named + ".invert", "false", "true");
}

TEST(TokenizerJson, RefusesOtherModels) {
  expect_refusal("/model/type", "Unigram", "model.type", "BPE", "Unigram");
  expect_refusal("/model", 3, "model", "BPE", "3");
  expect_refusal("/model/dropout", 0.1, "model.dropout", "null", "0.1");
  expect_refusal("/model/byte_fallback", true, "model.byte_fallback", "false", "true");
  expect_refusal("/model/continuing_subword_prefix", "##", "model.continuing_subword_prefix", "null", "\"##\"");
  expect_refusal("/model/end_of_word_suffix", "</w>", "model.end_of_word_suffix", "null", "\"</w>\"");
  expect_refusal("/model/ignore_merges", "yes", "model.ignore_merges", "true or false", "\"yes\"");
}

TEST(TokenizerJson, RefusesABrokenVocabulary) {
  expect_refusal("/model/vocab", json::array(), "model.vocab", "an object", "[]");
  expect_refusal("/model/vocab/a", -1, "model.vocab[\"a\"]", "an id in 0 …", "-1");
  expect_refusal("/model/vocab/a", 1 << 24, "model.vocab[\"a\"]", "an id in 0 …", "16777216");
  expect_refusal("/model/vocab/b", 'a', "model.vocab[\"b\"]", "an id of its own", "97");
}

TEST(TokenizerJson, RefusesAnUnknownTokenItCannotUse) {
  const auto message = refusal([](json& d) {
    d["model"]["vocab"].erase("z");
    d["model"]["unk_token"] = "<unk>";
  });
  EXPECT_NE(message.find("model.unk_token: expected a token of the vocabulary"), std::string::npos) << message;
  const auto fused = refusal([](json& d) {
    d["model"]["vocab"].erase("z");
    d["model"]["unk_token"] = "a";
    d["model"]["fuse_unk"] = true;
  });
  EXPECT_NE(fused.find("model.fuse_unk: expected false, found true"), std::string::npos) << fused;
}

TEST(TokenizerJson, RefusesBrokenMerges) {
  expect_refusal("/model/merges", "a b", "model.merges", "a list of merges", "\"a b\"");
  expect_refusal("/model/merges/0", "a b c", "model.merges[0]", "\"a b\" or [\"a\", \"b\"]", "\"a b c\"");
  expect_refusal("/model/merges/0", {"a"}, "model.merges[0]", "\"a b\" or [\"a\", \"b\"]", "[\"a\"]");
  expect_refusal("/model/merges/0", "b c", "model.merges[0]", "token \"bc\" in the vocabulary", "no such token");
}

TEST(TokenizerJson, RefusesAddedTokensOfOtherKinds) {
  const std::string token = "/added_tokens/0";
  for (const std::string key : {"lstrip", "rstrip", "single_word"}) {
    expect_refusal(token + "/" + key, true, "added_tokens[0]." + key, "false", "true");
  }
  expect_refusal(token + "/content", "", "added_tokens[0].content", "a text that is not empty", "\"\"");
  expect_refusal(token + "/id", 300, "added_tokens[0].id", "257, as Hugging Face numbers it", "300");
  expect_refusal(token + "/id", "1", "added_tokens[0].id", "an id in 0 …", "\"1\"");
  expect_refusal(token, "x", "added_tokens[0]", "an added token", "\"x\"");
  expect_refusal("/added_tokens", "x", "added_tokens", "a list of added tokens", "\"x\"");
  expect_refusal("/added_tokens/1", added_token(258, "<|x|>", true), "added_tokens[1].content", "a content of its own",
                 "{");
}

TEST(TokenizerJson, RefusesANormalisedTokenThatIsNotInNfc) {
  const auto message = refusal([](json& d) {
    d["normalizer"] = {{"type", "NFC"}};
    d["added_tokens"][0] = added_token(257, "e\u0301", false, true);
  });
  EXPECT_NE(message.find("added_tokens[0].content: expected a text in NFC"), std::string::npos) << message;
}

TEST(TokenizerJson, RefusesAnIdThatTheVocabularyHas) {
  const auto message = refusal([](json& d) { d["model"]["vocab"][test::alphabet_form("ab")] = 257; });
  EXPECT_NE(message.find("added_tokens[0].id: expected an id of its own, found 257"), std::string::npos) << message;
}

TEST(TokenizerJson, RefusesOtherDecodersAndSettings) {
  expect_refusal("/decoder", {{"type", "WordPiece"}}, "decoder.type", "ByteLevel", "WordPiece");
  expect_refusal("/decoder", nullptr, "decoder", "ByteLevel", "null");
  expect_refusal("/truncation", {{"max_length", 8}}, "truncation", "null", "{\"max_length\":8}");
  expect_refusal("/padding", {{"pad_id", 0}}, "padding", "null", "{\"pad_id\":0}");
  expect_refusal("/version", "2.0", "version", "\"1.0\"", "\"2.0\"");
}

TEST(TokenizerJson, ReadsTheStartTokenOfATemplateAlsoWithinASequence) {
  json description = good();
  description["post_processor"] = {{"type", "Sequence"},
                                   {"processors", {{{"type", "ByteLevel"}}, test::start_with(257, "<|x|>")}}};
  const Tokenizer tokenizer = test::load_tokenizer(description);
  EXPECT_EQ(std::vector<Token>(tokenizer.prefix().begin(), tokenizer.prefix().end()), std::vector<Token>{257});
  EXPECT_EQ(tokenizer.encode("ab"), std::vector<Token>{256});
  EXPECT_TRUE(test::load_tokenizer(good()).prefix().empty());
}

TEST(TokenizerJson, RefusesOtherPostProcessors) {
  const auto expect = [](const std::string& pointer, const json& value, const std::string& text) {
    const std::string message = refusal([&](json& d) {
      d["post_processor"] = test::start_with(257, "<|x|>");
      d[json::json_pointer("/post_processor" + pointer)] = value;
    });
    EXPECT_NE(message.find("t.json: post_processor" + text), std::string::npos) << message;
  };
  expect("/type", "BertProcessing", ".type: expected null, ByteLevel, TemplateProcessing");
  expect("/single/1", test::start_with(257, "<|x|>")["single"][0], ".single: expected special tokens, then the text A");
  expect("/single/1/Sequence/id", "B", ".single: expected special tokens, then the text A");
  expect("/single", json::array(), ".single: expected special tokens, then the text A");
  expect("/special_tokens", nullptr, ".special_tokens[\"<|x|>\"].ids: expected ids of tokens that this file has");
  expect("/special_tokens/<|x|>/ids", {300}, ".special_tokens[\"<|x|>\"].ids: expected ids of tokens that this file");
}

TEST(TokenizerJson, NamesAFileThatIsMissingOrNotJson) {
  const test::TemporaryFolder folder;
  EXPECT_NE(test::message_of<core::Error>([&] { read_tokenizer_json(folder / "gone.json"); }).find("gone.json"),
            std::string::npos);
  core::write_file(folder / "t.json", "{\"version\": ");
  const auto broken = test::message_of<core::Error>([&] { read_tokenizer_json(folder / "t.json"); });
  EXPECT_NE(broken.find("t.json: expected a Hugging Face tokenizer.json, found broken JSON"), std::string::npos)
      << broken;
  core::write_file(folder / "t.json", "[]");
  const auto list = test::message_of<core::Error>([&] { read_tokenizer_json(folder / "t.json"); });
  EXPECT_NE(list.find("t.json: file: expected a JSON object, found []"), std::string::npos) << list;
}

}  // namespace
}  // namespace polar::text
