#pragma once
// Graders: extract the answer from generated text and judge it against the reference, also incrementally.

#include <memory>
#include <string>
#include <string_view>

namespace polar::task {

enum class Verdict { kCorrect, kWrong, kUndecided };

/// What was read from a text so far. `final` means: no continuation of the text can change `answer`.
struct Extraction {
  std::string answer;  ///< empty when nothing was found (yet)
  bool final = false;
};

/// Immutable and thread-safe. `finished` says that no more text will come (stop token, stop string or length limit).
/// Contract (property-tested): a decided verdict, or a final extraction, equals that of every continuation of the text; with
/// finished = true the verdict is never kUndecided and the extraction always final.
class TextGrader {
 public:
  virtual ~TextGrader() = default;
  virtual Verdict judge(std::string_view text, std::string_view reference, bool finished) const = 0;
  virtual Extraction extract(std::string_view text, bool finished) const = 0;
  /// Whether two extracted answers count as the same one (votes; chance control).
  virtual bool same(std::string_view a, std::string_view b) const = 0;
  /// Kind and every setting, for digests: equal names, equal verdicts.
  virtual std::string name() const = 0;
};

/// exact: the text up to `stop` (or its end), outer whitespace trimmed, equals the trimmed reference. Undecided until the stop string, the end,
/// or the first character that rules the reference out.
std::unique_ptr<TextGrader> make_exact_grader(std::string stop = "\n");

enum class NumberChoice { kFirst, kLast, kBoxedFirst, kBoxedLast };

/// numeric: a number of the text (the first, the last, or the content of the first/last complete \boxed{…}) equals the
/// reference by exact decimal comparison (or a/b): signs, thousands commas, decimal points, trailing zeros and fractions are understood; no floating
/// point. The number ends only when the next character settles it: undecided after a digit, comma, point or sign. kLast and
/// kBoxedLast never decide before the end. Box missing at the end: wrong.
std::unique_ptr<TextGrader> make_numeric_grader(NumberChoice choice);

/// By name: "exact", "numeric:first", "numeric:last", "numeric:boxed-first", "numeric:boxed-last". Throws UsageError listing the names.
std::unique_ptr<TextGrader> make_grader(std::string_view name);

}  // namespace polar::task
