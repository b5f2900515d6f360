#pragma once
// An encoder package of a few kilobytes with random weights, written by the test itself.

#include <cstdint>
#include <filesystem>

namespace polar::test {

/// States of 6 values, texts of at most 10 tokens; the vocabulary holds digits and a few words.
void write_tiny_encoder(const std::filesystem::path& folder, std::uint64_t seed = 1);

}  // namespace polar::test
