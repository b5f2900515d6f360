#pragma once
// Multiple choice as text: options under the question, one a line after a letter, and the letter as the answer.

#include <cstdint>

#include "task/example.h"

namespace polar::task {

/// "Question\nA. first option\nB. …" as the question and the right option's letter as the answer. Throws core::Error
/// naming the example when it has no choices or more than there are letters.
Example lettered(Example example);

/// The same question with its choices in another order, drawn by a hash of seed and id; its id ends in "/reordered".
/// Throws as lettered() does.
Example reordered(Example example, std::uint64_t seed);

}  // namespace polar::task
