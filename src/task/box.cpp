#include "task/box.h"

#include <algorithm>
#include <array>

#include "task/spaces.h"

namespace polar::task {
namespace {

constexpr std::string_view kBoxed = "\\boxed";

/// One past the brace that closes the one at `open`; npos when it stays open.
std::size_t closing_end(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Removes one unit from the end of the text. Whether there was one.
bool remove_unit(std::string& text) {
  constexpr std::array<std::string_view, 3> kDegrees = {"^{\\circ}", "^\\circ", "\\degree"};
  for (std::string_view degree : kDegrees) {
    if (text.ends_with(degree)) {
      text.resize(text.size() - degree.size());
      return true;
    }
  }
  constexpr std::array<std::string_view, 4> kWords = {"\\text{", "\\textrm{", "\\mathrm{", "\\mbox{"};
  for (std::string_view word : kWords) {
    const std::size_t at = text.rfind(word);
    if (at != std::string::npos && closing_end(text, at + word.size() - 1) == text.size()) {
      text.resize(at);
      return true;
    }
  }
  return false;
}

/// One argument of a command: {…} or a single character. Empty when there is none.
std::string_view take_argument(std::string_view& text) {
  if (text.empty()) return {};
  std::size_t end = 1;
  std::string_view argument = text.substr(0, 1);
  if (text.front() == '{') {
    end = closing_end(text, 0);
    if (end == std::string_view::npos) return {};
    argument = text.substr(1, end - 2);
  }
  text.remove_prefix(end);
  return argument;
}

void resolve_fraction(std::string& text) {
  constexpr std::array<std::string_view, 3> kCommands = {"\\frac", "\\dfrac", "\\tfrac"};
  for (std::string_view command : kCommands) {
    const std::size_t at = text.find(command);
    if (at == std::string::npos || text.find_first_not_of(" +-$", 0) != at) continue;
    std::string_view rest = std::string_view(text).substr(at + command.size());
    const std::string_view above = take_argument(rest);
    const std::string_view below = take_argument(rest);
    if (above.empty() || below.empty()) return;
    text = text.substr(0, at) + std::string(above) + "/" + std::string(below) + std::string(rest);
    return;
  }
}

}  // namespace

std::optional<Box> find_box(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find(kBoxed, from); at != std::string_view::npos; at = text.find(kBoxed, at + 1)) {
    const std::size_t open = text.find_first_not_of(kSpaces, at + kBoxed.size());
    if (open == std::string_view::npos || text[open] != '{') continue;
    const std::size_t end = closing_end(text, open);
    if (end == std::string_view::npos) return Box{text.substr(open + 1), at, text.size(), false};
    return Box{text.substr(open + 1, end - open - 2), at, end, true};
  }
  return std::nullopt;
}

std::string plain_latex(std::string_view content) {
  std::string text(content);
  for (std::string_view spacing : {"\\!", "\\,", "\\;", "\\:", "\\ ", "~"}) replace_all(text, spacing, "");
  replace_all(text, "{,}", ",");
  replace_all(text, "\\%", "%");
  do {
    text = std::string(trimmed(text));
  } while (remove_unit(text));
  resolve_fraction(text);
  return text;
}

}  // namespace polar::task
