#include <algorithm>
#include <cctype>

#include "task/grader.h"
#include "task/spaces.h"

namespace polar::task {
namespace {

bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}

/// What makes a letter beside it part of a word; every byte of a character beyond ASCII does.
bool belongs_to_a_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '\'';
}

class LetterGrader final : public TextGrader {
 public:
  Verdict judge(std::string_view text, std::string_view reference, bool finished) const override {
    const Extraction read = extract(text, finished);
    if (!read.final) return Verdict::kUndecided;
    return !read.answer.empty() && same(read.answer, reference) ? Verdict::kCorrect : Verdict::kWrong;
  }

  Extraction extract(std::string_view text, bool finished) const override {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (!is_capital(text[i]) || (i > 0 && belongs_to_a_word(text[i - 1]))) continue;
      const bool last = i + 1 == text.size();
      if (last || !belongs_to_a_word(text[i + 1])) return {std::string(1, text[i]), finished || !last};
    }
    return {{}, finished};
  }

  bool attainable(std::string_view reference) const override {
    reference = trimmed(reference);
    return reference.size() == 1 && is_capital(reference.front());
  }

  bool same(std::string_view a, std::string_view b) const override { return trimmed(a) == trimmed(b); }

  std::string name() const override { return "letter"; }
};

}  // namespace

std::unique_ptr<TextGrader> make_letter_grader() {
  return std::make_unique<LetterGrader>();
}

}  // namespace polar::task
