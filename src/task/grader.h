#pragma once
// Graders: extract the answer from generated text and judge it against the reference, also incrementally.

#include <memory>
#include <string>
#include <string_view>

namespace polar::task {

enum class Verdict { kCorrect, kWrong, kUndecided };

/// What was read from a text so far. `final` means: no continuation of the text can change `answer`, which is otherwise
/// what it would be if the text ended here.
struct Extraction {
  std::string answer;  ///< empty when nothing was found (yet)
  bool final = false;
};

/// Immutable and thread-safe. `finished` says that no more text will come (stop token, stop string or length limit).
/// Contract (property-tested): a decided verdict, or a final extraction, equals that of every continuation of the text;
/// with finished = true the verdict is never kUndecided and the extraction always final.
class TextGrader {
 public:
  virtual ~TextGrader() = default;
  virtual Verdict judge(std::string_view text, std::string_view reference, bool finished) const = 0;
  virtual Extraction extract(std::string_view text, bool finished) const = 0;
  /// Whether some text is judged right against this reference: else no example with it can ever be solved.
  virtual bool attainable(std::string_view reference) const = 0;
  /// Whether two extracted answers count as the same one (votes; chance control).
  virtual bool same(std::string_view a, std::string_view b) const = 0;
  /// Kind and every setting, for digests: equal names, equal verdicts.
  virtual std::string name() const = 0;
};

/// exact: the text up to `stop` (or its end; an empty `stop`: always its end), outer whitespace trimmed, equals the
/// trimmed reference and is not empty. Undecided until the stop string, the end, or the first character that rules the
/// reference out.
std::unique_ptr<TextGrader> make_exact_grader(std::string stop = "\n");

enum class NumberChoice { kFirst, kLast, kBoxedFirst, kBoxedLast };

/// numeric: a number of the text equals the reference, compared exactly (task/number.h: signs, thousands commas,
/// points, trailing zeros, fractions; no floating point).
/// - kFirst, kLast: the first or last number of running text. It ends only when the next character settles it. A
///   fraction such as "38/2" never equals a decimal with an integer value, so that for an integer reference kFirst
///   decides kWrong exactly when no continuation can be right (reference 19: at "2", "-1", "1.", "19.5", "1,2"), and
///   kCorrect exactly when the number is settled. For other references kFirst decides when the number is settled. A
///   reference that is no number is never matched. kLast never decides before the end, unless that is so.
/// - kBoxedFirst, kBoxedLast: the content of the first or last complete \boxed{…} as a whole, LaTeX fractions, spacing
///   and units understood (task/box.h), fractions reduced (38/2 is 19); content that is no number must equal the
///   reference literally. kBoxedFirst decides when its box closes (a box inside one that is still open waits),
///   kBoxedLast at the end. Box missing at the end: wrong.
///
/// judge(text, reference, true) is kCorrect exactly when extract(text, true).answer is not empty and same(answer,
/// reference) (for kFirst and kLast: and the reference is a number). On short strings kFirst takes well under a
/// microsecond and allocates nothing unless it compares fractions.
std::unique_ptr<TextGrader> make_numeric_grader(NumberChoice choice);

/// letter: the first capital letter A … Z that stands alone (no letter, digit, "_", "'" or character beyond ASCII
/// beside it) equals the reference: "B", "(B)" and "B. a marsh" are B, and so is "A marsh" A. Decided by the character
/// after it.
std::unique_ptr<TextGrader> make_letter_grader();

/// By name: "exact", "letter", "numeric:first", "numeric:last", "numeric:boxed-first", "numeric:boxed-last". Throws
/// UsageError listing the names.
std::unique_ptr<TextGrader> make_grader(std::string_view name);

}  // namespace polar::task
