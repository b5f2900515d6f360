#include "text/word_piece.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"
#include "support/word_piece_file.h"

namespace polar::text {
namespace {

WordPiece load_word_piece(const test::json& description) {
  const test::TemporaryFolder folder;
  core::write_file(folder / "tokenizer.json", description.dump());
  return WordPiece::load(folder / "tokenizer.json");
}

struct Encoded {
  std::string text;
  std::vector<Token> tokens;
};

void expect_tokens(const WordPiece& pieces, const std::vector<Encoded>& cases) {
  for (const auto& [text, tokens] : cases) EXPECT_EQ(pieces.encode(text), tokens) << text;
}

const std::vector<std::string> kVocabulary = {
    "[PAD]", "[UNK]", "[CLS]",     "[SEP]",   "[MASK]", "what",   "is",   "12",     "1", "##2", "+",
    "7",     "?",     "=",         "un",      "##aff",  "##able", "cafe", "resume", "e", "##e", "文",
    "字",    "i",     "##stanbul", "stanbul", "!",      "the",    "##s",  "a",      "-", "日"};

// What the `tokenizers` library 0.23.3 gives with the same file.
TEST(WordPiece, GivesTheIdsOfTheTokenizersLibrary) {
  expect_tokens(load_word_piece(test::word_piece_json(kVocabulary)),
                {{"What is 12 + 7?", {2, 5, 6, 7, 10, 11, 12, 3}},
                 {"", {2, 3}},
                 {"  \t\n", {2, 3}},
                 {"unaffable", {2, 14, 15, 16, 3}},
                 {"UNAFFABLES", {2, 14, 15, 16, 28, 3}},
                 {"Café résumé", {2, 17, 18, 3}},
                 {"cafe\u0301", {2, 17, 3}},
                 {"文字 日", {2, 21, 22, 31, 3}},
                 {"a文b", {2, 29, 21, 1, 3}},
                 {"İstanbul", {2, 1, 3}},
                 {"ISTANBUL!", {2, 1, 26, 3}},
                 {"\u0130", {2, 23, 3}},
                 {"the [MASK] is [SEP]", {2, 27, 4, 6, 3, 3}},
                 {"[MASK", {2, 1, 1, 3}},
                 {std::string("a\0b\u200d-\ufffd", 9), {2, 1, 30, 3}},
                 {"thethethethethe", {2, 1, 3}},
                 {"x", {2, 1, 3}},
                 {"a\u00a0the\u2003is", {2, 29, 27, 6, 3}},
                 {"1-2=1", {2, 8, 30, 1, 13, 8, 3}},
                 {"e\u0301\u0301e", {2, 19, 20, 3}},
                 {"is\u3000is", {2, 6, 6, 3}},
                 {"12 12\u00ad7", {2, 7, 1, 3}}});
}

TEST(WordPiece, KeepsCaseAndAccentsWhereTheNormaliserDoes) {
  test::json description = test::word_piece_json(kVocabulary);
  description["normalizer"]["lowercase"] = false;
  expect_tokens(load_word_piece(description), {{"What is", {2, 1, 6, 3}}, {"café", {2, 1, 3}}, {"cafe", {2, 17, 3}}});
}

TEST(WordPiece, RefusesWhatItDoesNotKnowByName) {
  const auto refusal = [](auto change) {
    test::json description = test::word_piece_json(kVocabulary);
    change(description);
    const std::string message = test::message_of<core::Error>([&] { load_word_piece(description); });
    return message.substr(message.find("json: ") + 6);
  };
  EXPECT_EQ(refusal([](test::json& d) { d["model"]["type"] = "BPE"; }),
            "model/type: expected \"WordPiece\", found \"BPE\"; WordPiece as BERT has it is supported");
  EXPECT_EQ(refusal([](test::json& d) { d["normalizer"] = nullptr; }),
            "normalizer/type: expected \"BertNormalizer\", found nothing; WordPiece as BERT has it is supported");
  EXPECT_EQ(refusal([](test::json& d) { d["model"]["unk_token"] = "[OTHER]"; }),
            "model/unk_token: expected a token of the vocabulary, found \"[OTHER]\"; WordPiece as BERT has it is "
            "supported");
  EXPECT_EQ(refusal([](test::json& d) { d["post_processor"]["single"] = "A"; }),
            "post_processor/single: expected a list, found \"A\"; WordPiece as BERT has it is supported");
  EXPECT_EQ(refusal([](test::json& d) { d["added_tokens"][0]["lstrip"] = true; }),
            "added_tokens/0/lstrip: expected false, found true; WordPiece as BERT has it is supported");
}

}  // namespace
}  // namespace polar::text
