#pragma once
// Unicode normalisation form C, with the tables of the `tokenizers` library (unicode_tables.h).

#include <string>
#include <string_view>

namespace polar::text {

/// NFC of valid UTF-8. Throws Error when memory runs out.
std::string normalize_nfc(std::string_view text);

/// Whether NFC may change the text: false only when it surely does not. Much faster than normalising.
bool may_need_nfc(std::string_view text);

}  // namespace polar::text
