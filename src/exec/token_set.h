#pragma once
// A subset of the vocabulary.

#include <cstdint>
#include <vector>

namespace polar::exec {

/// One byte a token id: 1 where it is in the set.
using TokenSet = std::vector<std::uint8_t>;

}  // namespace polar::exec
