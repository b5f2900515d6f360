#pragma once
// `polar tokenize`: text in, ids out, a line for a line.

#include <filesystem>
#include <iosfwd>

#include "text/tokenizer.h"

namespace polar::text {

/// Of a pool folder, or of a tokenizer.json. Throws Error, also where there is none.
Tokenizer load_tokenizer(const std::filesystem::path& pool);

/// `pool` is what load_tokenizer takes. Each line of `in` (without its end; a last line may lack one) gives one
/// line of `out`:
/// - plain: the line is text, any bytes; its ids are written as a JSON array.
/// - json_lines: a JSON string is text and gives its ids; a JSON array of ids is decoded, special tokens written out,
/// and gives a JSON string. Returns 0. Throws Error naming the line that cannot be read, or when `out` cannot be
/// written; lines before it are written.
int run_tokenize(const std::filesystem::path& pool, bool json_lines, std::istream& in, std::ostream& out);

}  // namespace polar::text
