#pragma once
// The regular expressions that cut text into words before BPE, run by PCRE2 exactly as the `tokenizers` library runs
// them.

#include <cstddef>
#include <memory>
#include <string_view>

namespace polar::text {

/// The patterns as tokenizer.json files write them. ByteLevel(use_regex) is kGpt2Pattern.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
/// Digits(individual_digits): one numeric character.
inline constexpr std::string_view kDigitPattern = R"(\d)";

/// What matching needs besides the pattern. One per thread at a time; any number of splitters may use it in turn.
class SplitScratch {
 public:
  SplitScratch();
  ~SplitScratch();
  SplitScratch(const SplitScratch&) = delete;
  SplitScratch& operator=(const SplitScratch&) = delete;

 private:
  friend class Splitter;
  struct State;
  std::unique_ptr<State> state_;
};

/// A compiled pattern. Immutable; thread-safe with one scratch per thread.
class Splitter {
 public:
  struct Match {
    std::size_t begin = 0, end = 0;
  };

  /// One of the patterns above: their \p{L}, \p{N}, \s, \S and \d mean what the library means (unicode_tables.h).
  /// Throws Error when PCRE2 refuses the pattern.
  explicit Splitter(std::string_view pattern);
  ~Splitter();
  Splitter(Splitter&&) noexcept;
  Splitter& operator=(Splitter&&) noexcept;

  /// The next match at or after `from`; never empty. False when there is none. `text` is valid UTF-8. Throws Error when
  /// PCRE2 gives up.
  bool find(std::string_view text, std::size_t from, SplitScratch& scratch, Match& match) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace polar::text
