#include "core/seed.h"

#include <cassert>
#include <string>

#include "core/digest.h"

namespace polar::core {

namespace {

/// splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
constexpr std::uint64_t kGoldenGamma = 0x9E3779B97F4A7C15ULL;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

// The first 64 bits of SHA-256 of "<root>:<size of purpose>:<purpose><id>": the size keeps ("ab", "c") apart from ("a",
// "bc").
std::uint64_t derive_seed(std::uint64_t root, std::string_view purpose, std::string_view id) {
  std::string prefix = std::to_string(root) + ':' + std::to_string(purpose.size()) + ':';
  std::string digest = Digest().update(prefix).update(purpose).update(id).finish();
  return std::stoull(digest.substr(0, 16), nullptr, 16);
}

std::uint64_t CounterRandom::at(std::uint64_t index) const {
  return mix(key_ + (index + 1) * kGoldenGamma);
}

// (2b + 1) / 2^53 for 52 random bits b: exact in a double, and never 0 or 1. (53 bits plus a half would round up to 1.)
double CounterRandom::uniform_at(std::uint64_t index) const {
  return static_cast<double>(2 * (at(index) >> 12) + 1) * 0x1.0p-53;
}

std::uint64_t Random::below(std::uint64_t bound) {
  assert(bound >= 1);
  // The lowest 2^64 mod bound draws are rejected, so that every remainder is left with equally many.
  const std::uint64_t rejected = (0 - bound) % bound;
  std::uint64_t draw = (*this)();
  while (draw < rejected) draw = (*this)();
  return draw % bound;
}

}  // namespace polar::core
