#pragma once
// Randomness: every stream is derived from one logged root seed by purpose and id, never from the clock or a loop
// counter, so that results do not depend on order, batch or number of workers.

#include <cstdint>
#include <string_view>

namespace polar::core {

/// Seed of a stream: the first 64 bits of SHA-256 over (root, purpose, id). Stable across platforms and releases. Costs
/// microseconds.
std::uint64_t derive_seed(std::uint64_t root, std::string_view purpose, std::string_view id = {});

/// Small counter-based generator (splitmix64): `at(i)` is the i-th draw, random access, no state but the key.
class CounterRandom {
 public:
  explicit CounterRandom(std::uint64_t key) : key_(key) {}
  std::uint64_t at(std::uint64_t index) const;
  /// Uniform in (0, 1), both ends excluded: an odd multiple of 2^-53 (52 random bits).
  double uniform_at(std::uint64_t index) const;

 private:
  std::uint64_t key_;
};

/// Sequential generator over the same mix; a UniformRandomBitGenerator. Use below() rather than
/// std::uniform_int_distribution, whose results differ between standard libraries.
class Random {
 public:
  using result_type = std::uint64_t;
  explicit Random(std::uint64_t seed) : source_(seed) {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() { return source_.at(next_++); }
  /// Uniform in [0, bound), bound ≥ 1, without modulo bias.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in (0, 1).
  double uniform() { return source_.uniform_at(next_++); }
  /// Fisher–Yates, identical on every platform.
  template <typename Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::size_t j = below(i);
      using std::swap;
      swap(items[i - 1], items[j]);
    }
  }

 private:
  CounterRandom source_;
  std::uint64_t next_ = 0;
};

}  // namespace polar::core
