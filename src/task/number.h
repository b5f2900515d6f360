#pragma once
// Numbers in text: found as the text grows, and compared exactly. Digits are never turned into floating point, so any
// length works. Nothing here allocates but the comparison of fractions and to_text.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace polar::task {

/// A number as written; views into the text it was read from. Value = ± whole.decimals, or ± whole / denominator.
struct Number {
  bool negative = false;
  std::string_view whole;        ///< digits with thousands commas; empty in ".5"
  std::string_view decimals;     ///< digits after the point
  std::string_view denominator;  ///< digits; not empty exactly for a fraction

  bool fraction() const { return !denominator.empty(); }
};

/// Whether two numbers are the same. Decimals by value: 2.50 = 2.5, 007 = 7, −0 = 0. Fractions by value, also against a
/// decimal (1/2 = 0.5, 2/4 = 1/2), but with one exception: unless `reduce`, a fraction is never the same as a decimal
/// with an integer value (38/2 ≠ 19, an unfinished calculation), so that the first digit of an answer can settle that
/// it is not 19. A fraction with denominator zero is the same as nothing. An equivalence relation on all other numbers.
bool same_number(const Number& a, const Number& b, bool reduce);

/// Plain text: "-", digits without commas, ".decimals" or "/denominator".
std::string to_text(const Number& number);

/// How far a number has been read at the end of a text.
enum class Reading {
  kNone,      ///< no digit of a number yet
  kSettled,   ///< a character after it ended it: no continuation changes it
  kDigits,    ///< the text ends in its whole digits
  kGroup,     ///< the text ends after a comma that may belong to it, or within the group behind that comma
  kPoint,     ///< the text ends in a point that may belong to it
  kDecimals,  ///< the text ends in its decimals
  kSlash,     ///< the text ends in a slash that may belong to it
  kFraction,  ///< the text ends in its denominator
};

struct Scan {
  Reading reading = Reading::kNone;
  Number number;                   ///< the number if the text ended here
  std::string_view group;          ///< kGroup: the 0 to 3 digits behind the last comma, part of the number or not
  std::string_view settled_whole;  ///< kGroup: whole digits that are certain
  std::size_t begin = 0;           ///< of its first digit or point
  std::size_t end = 0;             ///< one past its last character
};

/// The first number at or after byte `from`. Digits are ASCII; they count wherever they stand ("x2" holds 2), and any
/// other character ends the number ("1e5" holds 1, then 5; "5%" holds 5).
/// - Sign: '-', '+' or U+2212 directly before the number or before a '$' or '\$' in front of it, unless a letter, a
///   digit, a closing bracket or another sign stands directly before the sign: "-5", "-$5", "$-5", "=-5" are −5;
///   "10-5", "x-5", "--5", "- 5" hold 5.
/// - Commas group thousands: one to three digits, the first not 0, then groups of exactly three. "1,234" is 1234;
///   "1,2", "1,2345", "0,123", "1234,567" begin with 1, 1, 0, 1234.
/// - Point: "19." is 19 and "19.5" is 19.5. ".5" is 0.5 unless a letter, a digit, a closing bracket or another point
///   stands before the point.
/// - Fraction: whole digits, '/', digits, with no space: "3/4". "3 / 4" holds 3, then 4; "1.5/2" holds 1.5, then 2.
///
/// The scan of a longer text differs only where this one is not kSettled.
Scan scan_number(std::string_view text, std::size_t from = 0);

/// The number that makes up the whole text but for outer spaces, "$" and "%": "1,234", "-$5", "5 %", "3 / 4". nullopt
/// when there is anything else, or when a denominator is zero.
std::optional<Number> parse_number(std::string_view text);

/// Whether some continuation of the scanned text makes the number equal to `reference` (a decimal with an integer
/// value), as same_number without `reduce` has it. Exact; true for kNone.
bool can_become_integer(const Scan& scan, const Number& reference);

/// A decimal without decimals other than zeros.
bool is_integer(const Number& number);

}  // namespace polar::task
