#include <fmt/format.h>

#include "task/grader.h"
#include "task/spaces.h"

namespace polar::task {
namespace {

class ExactGrader final : public TextGrader {
 public:
  explicit ExactGrader(std::string stop) : stop_(std::move(stop)) {}

  Verdict judge(std::string_view text, std::string_view reference, bool finished) const override {
    reference = trimmed(reference);
    const std::size_t stop = find_stop(text);
    if (finished || stop != std::string_view::npos) {
      const std::string_view answer = trimmed(text.substr(0, stop));
      return !answer.empty() && answer == reference ? Verdict::kCorrect : Verdict::kWrong;
    }
    return can_become(text, reference) ? Verdict::kUndecided : Verdict::kWrong;
  }

  Extraction extract(std::string_view text, bool finished) const override {
    const std::size_t stop = find_stop(text);
    return {std::string(trimmed(text.substr(0, stop))), finished || stop != std::string_view::npos};
  }

  bool attainable(std::string_view reference) const override {
    reference = trimmed(reference);
    return !reference.empty() && find_stop(reference) == std::string_view::npos;
  }

  bool same(std::string_view a, std::string_view b) const override { return trimmed(a) == trimmed(b); }

  std::string name() const override { return stop_ == "\n" ? "exact" : fmt::format("exact(stop={:?})", stop_); }

 private:
  std::size_t find_stop(std::string_view text) const {
    return stop_.empty() ? std::string_view::npos : text.find(stop_);
  }

  /// Whether the answer of some continuation may be the (trimmed) reference: the text goes on towards it, or ends where
  /// a stop string has begun.
  bool can_become(std::string_view text, std::string_view reference) const {
    const std::string_view begun = without_first_spaces(text);
    if (reference.starts_with(begun) || trimmed(begun) == reference) return true;
    for (std::size_t size = 1; size < stop_.size() && size <= text.size(); ++size) {
      const std::string_view body = text.substr(0, text.size() - size);
      if (text.ends_with(std::string_view(stop_).substr(0, size)) && trimmed(body) == reference) return true;
    }
    return false;
  }

  std::string stop_;
};

}  // namespace

std::unique_ptr<TextGrader> make_exact_grader(std::string stop) {
  return std::make_unique<ExactGrader>(std::move(stop));
}

}  // namespace polar::task
