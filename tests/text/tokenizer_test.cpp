#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "core/seed.h"
#include "support/message_of.h"
#include "support/tokenizer_file.h"
#include "text/splitter.h"
#include "text/utf8.h"

namespace polar::text {
namespace {

using test::added_token;
using test::load_tokenizer;
using test::tokenizer_json;
using Ids = std::vector<Token>;

/// Ids 256 …: "ab", "abc", "bc", "12", " a", " ab", "cat", "at".
const std::vector<std::pair<std::string, std::string>> kMerges = {{"a", "b"}, {"ab", "c"}, {"b", "c"}, {"1", "2"},
                                                                  {" ", "a"}, {" a", "b"}, {"a", "t"}, {"c", "at"}};

Tokenizer with(const nlohmann::json& pre_tokenizer) {
  return load_tokenizer(tokenizer_json(pre_tokenizer, kMerges));
}

TEST(Tokenizer, MergesInOrderOfRankNotOfPlace) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  EXPECT_EQ(tokenizer.encode("abc"), (Ids{257}));        // a+b, then ab+c
  EXPECT_EQ(tokenizer.encode("bc"), (Ids{258}));         // b+c
  EXPECT_EQ(tokenizer.encode("abab"), (Ids{256, 256}));  // the leftmost first
  EXPECT_EQ(tokenizer.encode(" ab"), (Ids{' ', 256}));   // a+b (rank 0) takes the a that " a" (rank 4) wants
  EXPECT_EQ(tokenizer.encode(" a"), (Ids{260}));
  EXPECT_EQ(tokenizer.encode("cat"), (Ids{263}));
  EXPECT_EQ(tokenizer.encode(""), Ids{});
}

TEST(Tokenizer, MergesOnlyWithinThePreTokenizersWords) {
  EXPECT_EQ(with(test::gpt2_pre_tokenizer()).encode("12 1a"), (Ids{259, ' ', '1', 'a'}));
  EXPECT_EQ(with(test::smollm2_pre_tokenizer()).encode("12ab"), (Ids{'1', '2', 256}));
  EXPECT_EQ(with(test::split_pre_tokenizer(kQwen2Pattern)).encode("12ab"), (Ids{'1', '2', 256}));
  EXPECT_EQ(with(test::split_pre_tokenizer(kLlama3Pattern)).encode("1212ab"), (Ids{259, '1', '2', 256}));
}

TEST(Tokenizer, ReadsMergesInBothSpellings) {
  auto description = tokenizer_json(test::gpt2_pre_tokenizer(), kMerges);
  auto& merges = description["model"]["merges"];
  for (auto& merge : merges) merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  merges.insert(merges.begin(), "#version: 0.2");
  EXPECT_EQ(load_tokenizer(description).encode("abc cat"), (Ids{257, ' ', 263}));
}

TEST(Tokenizer, TakesWholeWordsBeforeMergingOnlyWithIgnoreMerges) {
  auto description = tokenizer_json(test::gpt2_pre_tokenizer(), kMerges);
  description["model"]["vocab"]["cab"] = 264;
  EXPECT_EQ(load_tokenizer(description).encode("cab"), (Ids{'c', 256}));
  description["model"]["ignore_merges"] = true;
  EXPECT_EQ(load_tokenizer(description).encode("cab"), (Ids{264}));
  EXPECT_EQ(load_tokenizer(description).encode("cabc"), (Ids{'c', 257}));
}

TEST(Tokenizer, DropsBytesWithoutATokenOrWritesTheUnknownToken) {
  auto description = tokenizer_json(test::gpt2_pre_tokenizer(), kMerges);
  description["model"]["vocab"].erase("z");
  EXPECT_EQ(load_tokenizer(description).encode("azb"), (Ids{256}));
  description["model"]["unk_token"] = "c";
  EXPECT_EQ(load_tokenizer(description).encode("azzb"), (Ids{'a', 'c', 'c', 'b'}));
}

TEST(Tokenizer, FindsAddedTokensLeftmostAndLongest) {
  auto description = tokenizer_json(test::gpt2_pre_tokenizer(), kMerges);
  description["added_tokens"] = {added_token(264, "<|x|>", true), added_token(265, "<|x", false),
                                 added_token(266, "ab", false)};
  description["added_tokens"][2]["id"] = 256;  // a token of the vocabulary keeps its id
  const Tokenizer tokenizer = load_tokenizer(description);
  EXPECT_EQ(tokenizer.encode("c<|x|><|xcab<|"), (Ids{'c', 264, 265, 'c', 256, '<', '|'}));
  EXPECT_EQ(tokenizer.encode("abc"), (Ids{256, 'c'}));  // added tokens cut words
  EXPECT_TRUE(tokenizer.is_special(264));
  EXPECT_FALSE(tokenizer.is_special(265));
  EXPECT_EQ(tokenizer.decode(Ids{264, 'c', 265}), "c<|x");
  EXPECT_EQ(tokenizer.decode(Ids{264, 'c', 265}, false), "<|x|>c<|x");
  EXPECT_EQ(tokenizer.token_bytes(264), "<|x|>");
}

TEST(Tokenizer, NormalisesTheTextButNotAroundTokensThatAreNotNormalised) {
  auto description = tokenizer_json(test::split_pre_tokenizer(kQwen2Pattern), {});
  description["normalizer"] = {{"type", "NFC"}};
  description["added_tokens"] = {added_token(256, "x<", false), added_token(257, "\u226e\u226e", false, true)};
  const Tokenizer tokenizer = load_tokenizer(description);
  EXPECT_EQ(tokenizer.encode("a\u0301"), (Ids{0xC3, 0xA1}));        // composed
  EXPECT_EQ(tokenizer.encode("x<\u0338"), (Ids{256, 0xCC, 0xB8}));  // found before NFC could compose its end
  EXPECT_EQ(tokenizer.encode("<\u0338<\u0338"), (Ids{257}));        // found in the composed text
  EXPECT_EQ(tokenizer.encode("\u226e\u226e"), (Ids{257}));
}

TEST(Tokenizer, ReadsInvalidUtf8AsReplacementCharacters) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  EXPECT_EQ(tokenizer.encode("a\xE2\x82"), tokenizer.encode("a\uFFFD"));
  EXPECT_EQ(tokenizer.encode("\xFF\xFE"), tokenizer.encode("\uFFFD\uFFFD"));
}

TEST(Tokenizer, DecodesBytesTogetherAndLeavesOutIdsItDoesNotHave) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  EXPECT_EQ(tokenizer.decode(Ids{0xC3, 0xA9}), "é");
  EXPECT_EQ(tokenizer.decode(Ids{0xC3, 'a'}), "\uFFFDa");
  EXPECT_EQ(tokenizer.decode(Ids{'a', 99999, -1, 'b'}), "ab");
  EXPECT_EQ(tokenizer.decode(Ids{}), "");
}

TEST(Tokenizer, NamesAnIdOutsideTheVocabulary) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  EXPECT_EQ(tokenizer.vocabulary_size(), 264);
  for (const Token bad : {-1, 264}) {
    const auto message = test::message_of<core::Error>([&] { tokenizer.token_bytes(bad); });
    EXPECT_NE(message.find("expected 0 … 263, found " + std::to_string(bad)), std::string::npos) << message;
  }
}

TEST(Tokenizer, FindsTokensByTheirContentAsWritten) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  EXPECT_EQ(tokenizer.id_of("Ġab"), 261);
  EXPECT_EQ(tokenizer.token_bytes(261), " ab");
  EXPECT_EQ(tokenizer.id_of(" ab"), -1);
}

TEST(Tokenizer, EncodesAMillionBytesOfOneWordWithoutQuadraticWork) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  std::string word;
  for (int i = 0; i < 500'000; ++i) word += "ab";
  EXPECT_EQ(tokenizer.encode(word), Ids(500'000, 256));
}

std::string random_text(core::Random& random) {
  const std::vector<std::string> parts = {"ab", "abc", " cat",  "12",       "é",    "漢字",    "😀",
                                          "\n", "   ", "<|x|>", "\xE2\x82", "\xFF", "e\u0301", "'s"};
  std::string text;
  for (std::uint64_t i = random.below(20); i > 0; --i) text += parts[random.below(parts.size())];
  return text;
}

TEST(Tokenizer, DecodesWhatItEncodedWhateverTheText) {
  auto description = tokenizer_json(test::gpt2_pre_tokenizer(), kMerges);
  description["added_tokens"] = {added_token(264, "<|x|>", true)};
  const Tokenizer tokenizer = load_tokenizer(description);
  core::Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(random);
    const Ids ids = tokenizer.encode(text);
    EXPECT_EQ(tokenizer.decode(ids, false), repair_utf8(text));
    std::string bytes;
    for (const Token id : ids) bytes += tokenizer.token_bytes(id);
    EXPECT_EQ(bytes, repair_utf8(text));
  }
}

TEST(StreamDecoder, GivesInPiecesWhatDecodeGivesAtOnceAndNeverHalfACharacter) {
  auto description = tokenizer_json(test::gpt2_pre_tokenizer(), kMerges);
  description["added_tokens"] = {added_token(264, "<|x|>", true)};
  const Tokenizer tokenizer = load_tokenizer(description);
  core::Random random(2);
  for (int i = 0; i < 3000; ++i) {
    Ids ids = tokenizer.encode(random_text(random));
    for (std::uint64_t k = random.below(6); k > 0; --k) {  // tokens that fit nowhere
      ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(random.below(ids.size() + 1)),
                 static_cast<Token>(random.below(300)));
    }
    for (const bool skip_special : {true, false}) {
      StreamDecoder stream(tokenizer, skip_special);
      std::string text;
      for (const Token id : ids) {
        const std::string piece = stream.push(id);
        EXPECT_EQ(repair_utf8(piece), piece);
        text += piece;
      }
      text += stream.flush();
      EXPECT_EQ(text, tokenizer.decode(ids, skip_special));
      EXPECT_EQ(stream.flush(), "");
    }
  }
}

TEST(StreamDecoder, HoldsACharacterBackUntilItIsWhole) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(0xF0), "");
  EXPECT_EQ(stream.push(0x9F), "");
  EXPECT_EQ(stream.push(0x98), "");
  EXPECT_EQ(stream.push(0x80), "😀");
  EXPECT_EQ(stream.push(0xE2), "");
  EXPECT_EQ(stream.push('a'), "\uFFFDa");
  EXPECT_EQ(stream.push(0xE2), "");
  EXPECT_EQ(stream.flush(), "\uFFFD");
}

TEST(Tokenizer, GivesTheSameIdsToManyThreadsAtOnce) {
  const Tokenizer tokenizer = with(test::gpt2_pre_tokenizer());
  core::Random random(3);
  std::vector<std::string> texts;
  std::vector<Ids> expected;
  for (int i = 0; i < 200; ++i) {
    texts.push_back(random_text(random));
    expected.push_back(tokenizer.encode(texts.back()));
  }
  std::vector<int> different(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < different.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::size_t k = (i + 50 * t) % texts.size();
        different[t] += tokenizer.encode(texts[k]) != expected[k];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(different, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace polar::text
