#pragma once
// Figures of controls as Markdown.

#include <span>
#include <string>
#include <string_view>

#include "eval/label_analysis.h"

namespace polar::eval {

/// One analysis: a line for each level and set, in order of appearance, and a column for each key. Values are shares
/// and are shown in percent with their n and 95 % interval: "12.5 of 40 [5.5, 26.1]". Empty without figures of it.
std::string control_table(std::span<const LabelFigure> figures, std::string_view analysis);

}  // namespace polar::eval
