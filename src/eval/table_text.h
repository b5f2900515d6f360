#pragma once
// Cells and lines of CSV, Markdown and console tables. For eval/ and experiment/.

#include <optional>
#include <string>
#include <vector>

namespace polar::eval {

inline constexpr const char* kNone = "–";  ///< a cell without a value

/// Quoted as in RFC 4180 where needed.
std::string csv_field(const std::string& text);
/// The shortest decimal that gives the same double; empty without a value.
std::string csv_number(const std::optional<double>& value);

/// What a heading calls a level.
std::string level_name(const std::string& level);

/// Columns padded to their widest cell, counted in bytes; the first one to the left, the others to the right.
std::string aligned(const std::vector<std::vector<std::string>>& lines);

/// "| a | b |" and a newline; bars inside cells are escaped.
std::string markdown_line(std::vector<std::string> cells);
/// The line and the rule below it; all columns but the first to the right.
std::string markdown_head(const std::vector<std::string>& cells);

}  // namespace polar::eval
