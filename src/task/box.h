#pragma once
// Answers in \boxed{…}.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace polar::task {

struct Box {
  std::string_view content;  ///< between the braces
  std::size_t begin = 0;     ///< of "\boxed"
  std::size_t end = 0;       ///< one past the closing brace; text size while the box is open
  bool closed = false;
};

/// The first "\boxed{" (spaces before the brace allowed) at or after byte `from`, with its braces matched; `\{` and
/// `\}` do not count. nullopt when there is none; the text may still end in the beginning of one.
std::optional<Box> find_box(std::string_view text, std::size_t from = 0);

/// Content of a box as parse_number reads it: LaTeX spacing removed, `{,}` to `,`, `\%` to `%`, a unit at the end
/// (`\text{…}`, `\textrm`, `\mathrm`, `\mbox`, `^\circ`) removed, and `\frac{a}{b}` (also \dfrac, \tfrac, \frac12) to
/// `a/b` where only a sign stands before it. Outer spaces trimmed; anything else is left as written.
std::string plain_latex(std::string_view content);

}  // namespace polar::task
