#pragma once
// "Did you mean …?": the known word closest to a mistyped one.

#include <span>
#include <string>
#include <string_view>

namespace polar::core {

/// Fewest insertions, deletions, replacements and swaps of neighbouring bytes that turn a into b, no byte edited twice
/// (optimal string alignment distance). O(|a| · |b|).
std::size_t text_distance(std::string_view a, std::string_view b);

/// The known word with the smallest text_distance, the first of several. Empty when none is near: a third of the word's
/// bytes may be wrong, at least one, but never all of them.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace polar::core
