#include "task/number.h"

#include <algorithm>
#include <vector>

#include "task/spaces.h"

namespace polar::task {
namespace {

constexpr std::string_view kMinus = "\xE2\x88\x92";  // U+2212

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Characters after which '-' is an operator or a hyphen, and '.' a full stop or a separator.
bool ends_a_term(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ')' || c == ']' || c == '}';
}

std::size_t digits_end(std::string_view text, std::size_t from) {
  while (from < text.size() && is_digit(text[from])) ++from;
  return from;
}

/// Bytes of the sign that ends `text`; 0 when there is none.
std::size_t sign_at_end(std::string_view text) {
  if (text.empty()) return 0;
  if (text.back() == '-' || text.back() == '+') return 1;
  return text.ends_with(kMinus) ? kMinus.size() : 0;
}

/// Whether a minus binds to a number that stands directly behind `before`.
bool minus_before(std::string_view before) {
  if (before.ends_with('$')) {
    before.remove_suffix(1);
    if (before.ends_with('\\')) before.remove_suffix(1);
  }
  const std::size_t sign = sign_at_end(before);
  if (sign == 0 || before.back() == '+') return false;
  before.remove_suffix(sign);
  return before.empty() || (!ends_a_term(before.back()) && sign_at_end(before) == 0);
}

bool point_leads(std::string_view before_digit) {
  if (!before_digit.ends_with('.')) return false;
  before_digit.remove_suffix(1);
  return before_digit.empty() || (!ends_a_term(before_digit.back()) && before_digit.back() != '.');
}

/// Reads a number from its first digit on, in steps that each know how the text may go on.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Scan read(std::size_t first_digit) {
    const std::string_view before = text_.substr(0, first_digit);
    if (point_leads(before)) {
      scan_.begin = first_digit - 1;
      scan_.number.negative = minus_before(text_.substr(0, scan_.begin));
      read_decimals(first_digit);
      return scan_;
    }
    scan_.begin = first_digit;
    scan_.number.negative = minus_before(before);
    const std::size_t end = digits_end(text_, first_digit);
    set_whole(end);
    if (end == text_.size()) {
      scan_.reading = Reading::kDigits;
    } else if (end - first_digit > 3 || text_[first_digit] == '0') {
      read_tail(end);
    } else {
      read_groups(end);
    }
    return scan_;
  }

 private:
  void set_whole(std::size_t end) {
    scan_.number.whole = text_.substr(scan_.begin, end - scan_.begin);
    scan_.end = end;
  }

  void settle() { scan_.reading = Reading::kSettled; }

  void read_groups(std::size_t end) {
    while (end < text_.size() && text_[end] == ',') {
      const std::size_t group_end = digits_end(text_, end + 1);
      const std::size_t size = group_end - end - 1;
      if (group_end == text_.size() && size <= 3) {
        scan_.settled_whole = scan_.number.whole;
        scan_.group = text_.substr(end + 1, size);
        if (size == 3) set_whole(group_end);
        scan_.reading = Reading::kGroup;
        return;
      }
      if (size != 3) return settle();
      set_whole(group_end);
      end = group_end;
    }
    read_tail(end);
  }

  /// What may follow the whole digits; `at` < text size.
  void read_tail(std::size_t at) {
    const char next = text_[at];
    if (next != '.' && next != '/') return settle();
    if (at + 1 == text_.size()) {
      scan_.reading = next == '.' ? Reading::kPoint : Reading::kSlash;
    } else if (!is_digit(text_[at + 1])) {
      settle();
    } else if (next == '.') {
      read_decimals(at + 1);
    } else {
      scan_.end = digits_end(text_, at + 1);
      scan_.number.denominator = text_.substr(at + 1, scan_.end - at - 1);
      scan_.reading = scan_.end == text_.size() ? Reading::kFraction : Reading::kSettled;
    }
  }

  void read_decimals(std::size_t at) {
    scan_.end = digits_end(text_, at);
    scan_.number.decimals = text_.substr(at, scan_.end - at);
    scan_.reading = scan_.end == text_.size() ? Reading::kDecimals : Reading::kSettled;
  }

  std::string_view text_;
  Scan scan_;
};

/// The significant digits of a whole part, one by one: commas and leading zeros are passed over.
class Digits {
 public:
  explicit Digits(std::string_view whole) : rest_(whole) {
    while (!rest_.empty() && (rest_.front() == '0' || rest_.front() == ',')) rest_.remove_prefix(1);
  }
  std::size_t count() const {
    return rest_.size() - static_cast<std::size_t>(std::count(rest_.begin(), rest_.end(), ','));
  }
  /// The next digit; '\0' at the end.
  char next() {
    if (!rest_.empty() && rest_.front() == ',') rest_.remove_prefix(1);
    if (rest_.empty()) return '\0';
    const char digit = rest_.front();
    rest_.remove_prefix(1);
    return digit;
  }

 private:
  std::string_view rest_;
};

bool begins_with(Digits digits, Digits start) {
  for (char expected = start.next(); expected != '\0'; expected = start.next()) {
    if (digits.next() != expected) return false;
  }
  return true;
}

bool equal(Digits a, Digits b) {
  return a.count() == b.count() && begins_with(a, b);
}

std::string_view without_last_zeros(std::string_view decimals) {
  while (decimals.ends_with('0')) decimals.remove_suffix(1);
  return decimals;
}

bool is_zero(const Number& number) {
  return Digits(number.whole).count() == 0 && without_last_zeros(number.decimals).empty();
}

/// Digits of an integer, lowest first, for multiplication.
using Natural = std::vector<unsigned>;

Natural natural(std::string_view digits, std::string_view more = {}) {
  Natural value;
  for (std::string_view part : {digits, more}) {
    for (char c : part) {
      if (c != ',') value.push_back(static_cast<unsigned>(c - '0'));
    }
  }
  std::reverse(value.begin(), value.end());
  return value;
}

Natural product(const Natural& a, const Natural& b) {
  Natural result(a.size() + b.size() + 1, 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    unsigned carry = 0;
    for (std::size_t j = 0; j < b.size() || carry > 0; ++j) {
      const unsigned sum = result[i + j] + carry + (j < b.size() ? a[i] * b[j] : 0);
      result[i + j] = sum % 10;
      carry = sum / 10;
    }
  }
  while (!result.empty() && result.back() == 0) result.pop_back();
  return result;
}

Natural numerator(const Number& number) {
  return natural(number.whole, number.decimals);
}

Natural denominator(const Number& number) {
  if (number.fraction()) return natural(number.denominator);
  Natural power(number.decimals.size() + 1, 0);
  power.back() = 1;
  return power;
}

bool zero_denominator(const Number& number) {
  return number.fraction() && number.denominator.find_first_not_of('0') == std::string_view::npos;
}

/// Takes one sign and one dollar, in any order and with spaces, off the front of a text. Whether there was a minus.
bool take_sign(std::string_view& text) {
  bool negative = false, has_sign = false, has_dollar = false;
  while (!text.empty()) {
    std::size_t size = 0;
    if (kSpaces.find(text.front()) != std::string_view::npos) {
      size = 1;
    } else if (!has_sign && (text.front() == '-' || text.front() == '+' || text.starts_with(kMinus))) {
      has_sign = true;
      negative = text.front() != '+';
      size = text.starts_with(kMinus) ? kMinus.size() : 1;
    } else if (!has_dollar && (text.front() == '$' || text.starts_with("\\$"))) {
      has_dollar = true;
      size = text.front() == '$' ? 1 : 2;
    } else {
      break;
    }
    text.remove_prefix(size);
  }
  return negative;
}

}  // namespace

Scan scan_number(std::string_view text, std::size_t from) {
  while (from < text.size() && !is_digit(text[from])) ++from;
  return from < text.size() ? Scanner(text).read(from) : Scan{};
}

std::optional<Number> parse_number(std::string_view text) {
  text = trimmed(text);
  const bool negative = take_sign(text);
  if (text.ends_with('%')) text = trimmed(text.substr(0, text.size() - (text.ends_with("\\%") ? 2 : 1)));
  std::string_view denominator;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    denominator = trimmed(text.substr(slash + 1));
    text = trimmed(text.substr(0, slash));
    if (denominator.empty() || digits_end(denominator, 0) != denominator.size()) return std::nullopt;
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  Scan scan = scan_number(text);
  if (scan.reading == Reading::kNone || scan.begin != 0 || scan.end != text.size()) return std::nullopt;
  if (!denominator.empty() && !scan.number.decimals.empty()) return std::nullopt;
  scan.number.negative = negative;
  scan.number.denominator = denominator;
  if (zero_denominator(scan.number)) return std::nullopt;
  return scan.number;
}

bool is_integer(const Number& number) {
  return !number.fraction() && without_last_zeros(number.decimals).empty();
}

bool same_number(const Number& a, const Number& b, bool reduce) {
  if (zero_denominator(a) || zero_denominator(b)) return false;
  if (!reduce && a.fraction() != b.fraction() && is_integer(a.fraction() ? b : a)) return false;
  if (a.negative != b.negative && !(is_zero(a) && is_zero(b))) return false;
  if (!a.fraction() && !b.fraction()) {
    return equal(Digits(a.whole), Digits(b.whole)) && without_last_zeros(a.decimals) == without_last_zeros(b.decimals);
  }
  return product(numerator(a), denominator(b)) == product(numerator(b), denominator(a));
}

std::string to_text(const Number& number) {
  std::string text(number.negative ? "-" : "");
  std::copy_if(number.whole.begin(), number.whole.end(), std::back_inserter(text), [](char c) { return c != ','; });
  if (!number.decimals.empty()) text.append(".").append(number.decimals);
  if (number.fraction()) text.append("/").append(number.denominator);
  return text;
}

bool can_become_integer(const Scan& scan, const Number& reference) {
  if (scan.reading == Reading::kNone) return true;
  const Number& number = scan.number;
  if (scan.reading == Reading::kSettled) return same_number(number, reference, false);
  if (number.negative != reference.negative && !is_zero(reference)) return false;
  const Digits wanted(reference.whole);
  switch (scan.reading) {
    case Reading::kDigits:
      return begins_with(wanted, Digits(number.whole));
    case Reading::kGroup: {
      const Digits certain(scan.settled_whole);
      if (equal(wanted, certain)) return true;
      // settled_whole, the comma and the group stand next to each other
      const std::string_view with_group(scan.settled_whole.data(), scan.settled_whole.size() + 1 + scan.group.size());
      return wanted.count() > certain.count() && (wanted.count() - certain.count()) % 3 == 0 &&
             begins_with(wanted, Digits(with_group));
    }
    case Reading::kPoint:
    case Reading::kSlash:
      return equal(wanted, Digits(number.whole));
    case Reading::kDecimals:
      return equal(wanted, Digits(number.whole)) && without_last_zeros(number.decimals).empty();
    default:
      return false;
  }
}

}  // namespace polar::task
