#pragma once
// Byte pair encoding of one word (Sennrich et al. 2016): the lowest-ranked merge first, leftmost on ties.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer_json.h"

namespace polar::text {

/// Merge rules by pair: open addressing over a power of two of slots, at most half full.
class MergeTable {
 public:
  struct Rule {
    std::uint32_t rank;
    Token merged;
  };

  explicit MergeTable(const std::vector<Merge>& merges);
  /// nullptr when the pair does not merge.
  const Rule* find(Token left, Token right) const;

 private:
  struct Slot {
    std::uint64_t pair;
    Rule rule;
  };
  std::size_t slot_of(std::uint64_t pair) const;

  std::vector<Slot> slots_;
};

/// Ids of words met before: bounded (kSlots words of at most kMaxBytes), a later word takes the slot of an earlier one.
/// Not thread-safe.
class WordCache {
 public:
  static constexpr std::size_t kSlots = 1 << 14;
  static constexpr std::size_t kMaxBytes = 48;

  struct Entry {
    std::string word;
    std::vector<Token> ids;
  };

  WordCache() : entries_(kSlots) {}
  /// The slot of a word of 1 to kMaxBytes bytes; it holds the word's ids when entry.word == word.
  Entry& slot(std::string_view word) { return entries_[std::hash<std::string_view>()(word) & (kSlots - 1)]; }

 private:
  std::vector<Entry> entries_;
};

/// Turns words (raw bytes) into ids. Immutable; thread-safe with one scratch per thread.
class BytePairModel {
 public:
  /// Working memory, reused between words.
  struct Scratch {
    struct Symbol {
      Token id;
      std::int32_t previous, next;  ///< -1 at the ends
      bool gone;
    };
    struct Candidate {
      std::uint32_t rank;
      std::int32_t position;
      Token merged;
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
    WordCache cache;
  };

  explicit BytePairModel(const TokenizerSpec& spec);

  /// Appends the ids of a word that is not empty: O(n log n) in its bytes. Bytes without a token give the unknown
  /// token, or nothing.
  void encode(std::string_view word, Scratch& scratch, std::vector<Token>& out) const;

 private:
  void merge(std::string_view word, Scratch& scratch, std::vector<Token>& out) const;
  void push_candidate(Scratch& scratch, std::int32_t left) const;

  std::array<Token, 256> byte_ids_{};                   ///< -1 = dropped
  std::unordered_map<std::string, Token> whole_words_;  ///< only with ignore_merges
  MergeTable merges_;
};

}  // namespace polar::text
