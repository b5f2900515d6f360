#pragma once
// Permutations that put no item onto one of its own class.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/seed.h"

namespace polar::eval {

/// Draws from the permutations of n items for which item i is never given another item of its own class (so never its
/// own either), each alike. They are the states of a Markov chain that proposes to exchange what two items are given,
/// or to rotate what three are given, and refuses what would break the rule. Proposals are symmetric, so the chain's
/// equilibrium is uniform; with rotations it reaches every such permutation (S. Aoki and A. Takemura, J. Stat. Comput.
/// Simul. 75 (2005), 787–812: tables whose diagonal is zero). Between two draws there are 2 n (1 + ln n) proposals, and
/// at least 64: beyond the n ln n / 2 exchanges after which an unrestricted shuffle is random. Same classes and seed,
/// same draws. Not thread-safe.
class RestrictedPermutations {
 public:
  /// The class of each item: equal numbers, equal class; 0 ≤ class < n. Throws core::Error when there is no such
  /// permutation.
  RestrictedPermutations(std::vector<int> classes, std::uint64_t seed);

  /// Whether there is one: exactly when there are items and no class holds more than half of them.
  static bool exist(std::span<const int> classes);

  /// The next draw: for each item the one it is given. Valid until the next call.
  std::span<const std::size_t> next();

 private:
  void propose();
  bool may_have(std::size_t item, std::size_t given) const { return classes_[item] != classes_[given]; }

  std::vector<int> classes_;
  std::vector<std::size_t> given_;
  core::Random random_;
  int proposals_ = 0;  ///< between two draws
};

}  // namespace polar::eval
