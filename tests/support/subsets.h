#pragma once
// A search space small enough to follow by hand.

#include "search/space.h"

namespace polar::test {

/// Skips of one layer: the 2^depth − 1 programs that run some of the layers, in order.
inline search::SearchSpace subsets_of(int depth) {
  return search::SearchSpace({.depth = depth,
                              .first_layer = 0,
                              .max_block = 1,
                              .allow_repeat = false,
                              .min_depth_ratio = 0,
                              .max_depth_ratio = 1});
}

}  // namespace polar::test
