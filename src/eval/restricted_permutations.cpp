#include "eval/restricted_permutations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace polar::eval {
namespace {

std::size_t largest_class(std::span<const int> classes) {
  std::vector<std::size_t> sizes(classes.size(), 0);
  for (const int one : classes) ++sizes[static_cast<std::size_t>(one)];
  return sizes.empty() ? 0 : std::ranges::max(sizes);
}

/// One that keeps the rule: items sorted by class, each given the one that stands as far behind it, around the end, as
/// the largest class is long.
std::vector<std::size_t> any_permutation(std::span<const int> classes) {
  std::vector<std::size_t> order(classes.size()), given(classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t item) { return classes[item]; });
  const std::size_t shift = largest_class(classes);
  for (std::size_t i = 0; i < order.size(); ++i) given[order[i]] = order[(i + shift) % order.size()];
  return given;
}

}  // namespace

bool RestrictedPermutations::exist(std::span<const int> classes) {
  return !classes.empty() && 2 * largest_class(classes) <= classes.size();
}

RestrictedPermutations::RestrictedPermutations(std::vector<int> classes, std::uint64_t seed)
    : classes_(std::move(classes)), random_(seed) {
  if (!exist(classes_))
    throw core::Error(
        fmt::format("permutations: expected no class of more than half of the items, found one of {} among {}",
                    largest_class(classes_), classes_.size()));
  given_ = any_permutation(classes_);
  const auto n = static_cast<double>(classes_.size());
  proposals_ = std::max(64, static_cast<int>(2 * n * (1 + std::log(n))));
}

std::span<const std::size_t> RestrictedPermutations::next() {
  for (int i = 0; i < proposals_; ++i) propose();
  return given_;
}

/// Items are drawn with replacement, and a repeated one makes the proposal void: every exchange, and every rotation in
/// either direction, is as probable as its reverse.
void RestrictedPermutations::propose() {
  const std::uint64_t n = given_.size();
  const bool rotate = random_.below(2) == 1;
  const std::size_t a = random_.below(n), b = random_.below(n);
  if (a == b) return;
  if (!rotate) {
    if (may_have(a, given_[b]) && may_have(b, given_[a])) std::swap(given_[a], given_[b]);
    return;
  }
  const std::size_t c = random_.below(n);
  if (c == a || c == b) return;
  if (!may_have(a, given_[b]) || !may_have(b, given_[c]) || !may_have(c, given_[a])) return;
  const std::size_t first = given_[a];
  given_[a] = given_[b];
  given_[b] = given_[c];
  given_[c] = first;
}

}  // namespace polar::eval
