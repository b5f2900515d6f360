#include <utility>

#include "task/box.h"
#include "task/grader.h"
#include "task/number.h"

namespace polar::task {
namespace {

Verdict verdict(bool correct) {
  return correct ? Verdict::kCorrect : Verdict::kWrong;
}

/// What the two graders of running text share: answers are numbers, and 38/2 is not 19.
class TextNumberGrader : public TextGrader {
 public:
  bool attainable(std::string_view reference) const final { return parse_number(reference).has_value(); }

  bool same(std::string_view a, std::string_view b) const final {
    if (a == b) return true;
    const auto x = parse_number(a), y = parse_number(b);
    return x && y && same_number(*x, *y, false);
  }

 protected:
  static Verdict compare(const Scan& scan, const Number& reference) {
    return verdict(scan.reading != Reading::kNone && same_number(scan.number, reference, false));
  }
  static Extraction extraction(const Scan& scan, bool final) {
    return {scan.reading == Reading::kNone ? std::string() : to_text(scan.number), final};
  }
};

class FirstNumberGrader final : public TextNumberGrader {
 public:
  Verdict judge(std::string_view text, std::string_view reference, bool finished) const override {
    const auto wanted = parse_number(reference);
    if (!wanted) return Verdict::kWrong;  // no number equals it
    const Scan scan = scan_number(text);
    if (finished || scan.reading == Reading::kSettled) return compare(scan, *wanted);
    if (is_integer(*wanted) && !can_become_integer(scan, *wanted)) return Verdict::kWrong;
    return Verdict::kUndecided;
  }

  Extraction extract(std::string_view text, bool finished) const override {
    const Scan scan = scan_number(text);
    return extraction(scan, finished || scan.reading == Reading::kSettled);
  }

  std::string name() const override { return "numeric:first"; }
};

class LastNumberGrader final : public TextNumberGrader {
 public:
  Verdict judge(std::string_view text, std::string_view reference, bool finished) const override {
    const auto wanted = parse_number(reference);
    if (!wanted) return Verdict::kWrong;
    return finished ? compare(last(text), *wanted) : Verdict::kUndecided;
  }

  Extraction extract(std::string_view text, bool finished) const override { return extraction(last(text), finished); }

  std::string name() const override { return "numeric:last"; }

 private:
  static Scan last(std::string_view text) {
    Scan found, next = scan_number(text);
    while (next.reading != Reading::kNone) {
      found = next;
      next = scan_number(text, found.end);
    }
    return found;
  }
};

class BoxGrader final : public TextGrader {
 public:
  explicit BoxGrader(bool first) : first_(first) {}

  Verdict judge(std::string_view text, std::string_view reference, bool finished) const override {
    if (!first_ && !finished) return Verdict::kUndecided;
    const auto [content, final] = find(text, finished);
    return final ? verdict(!plain_latex(content).empty() && same(content, reference)) : Verdict::kUndecided;
  }

  Extraction extract(std::string_view text, bool finished) const override {
    const auto [content, final] = find(text, finished);
    return {plain_latex(content), final};
  }

  /// Some box has it for its content: one whose braces close.
  bool attainable(std::string_view reference) const override {
    return judge("\\boxed{" + std::string(reference) + "}", reference, true) == Verdict::kCorrect;
  }

  bool same(std::string_view a, std::string_view b) const override {
    const std::string x = plain_latex(a), y = plain_latex(b);
    if (x == y) return true;
    const auto m = parse_number(x), n = parse_number(y);
    return m && n && same_number(*m, *n, true);
  }

  std::string name() const override { return first_ ? "numeric:boxed-first" : "numeric:boxed-last"; }

 private:
  /// Content of the chosen box, and whether no continuation can change it. A box that is still open may close later and
  /// would then be the one that counts, so boxes inside it wait; at the end of the text it is passed over.
  std::pair<std::string_view, bool> find(std::string_view text, bool finished) const {
    std::string_view content;
    for (auto box = find_box(text); box; box = find_box(text, box->closed ? box->end : box->begin + 1)) {
      if (!box->closed && first_ && !finished) return {{}, false};
      if (!box->closed) continue;
      content = box->content;
      if (first_) return {content, true};
    }
    return {content, finished};
  }

  bool first_;
};

}  // namespace

std::unique_ptr<TextGrader> make_numeric_grader(NumberChoice choice) {
  switch (choice) {
    case NumberChoice::kFirst:
      return std::make_unique<FirstNumberGrader>();
    case NumberChoice::kLast:
      return std::make_unique<LastNumberGrader>();
    case NumberChoice::kBoxedFirst:
      return std::make_unique<BoxGrader>(true);
    case NumberChoice::kBoxedLast:
      break;
  }
  return std::make_unique<BoxGrader>(false);
}

}  // namespace polar::task
