#pragma once
// Texts that end at stop strings: where they are cut, and what is certain of one that may yet be cut.

#include <string>
#include <string_view>
#include <vector>

#include "task/grader.h"

namespace polar::exec {

/// Cuts the text at the first stop string that begins at byte `from` or later; returns whether there was one.
bool cut_at_stop(std::string& text, const std::vector<std::string>& stops, std::size_t from = 0);

/// Lengths to which a text without stop string is cut when the stop string that its end may have begun goes on; longest
/// first, each less than the text's.
std::vector<std::size_t> possible_cuts(std::string_view text, const std::vector<std::string>& stops);

/// What the grader says of every continuation of a text without stop string, cut ones included: a decided verdict, or a
/// final extraction, is that of the text when generation has ended.
task::Verdict judge_unfinished(const task::TextGrader& grader, std::string_view text, std::string_view reference,
                               const std::vector<std::string>& stops);
task::Extraction extract_unfinished(const task::TextGrader& grader, std::string_view text,
                                    const std::vector<std::string>& stops);

}  // namespace polar::exec
