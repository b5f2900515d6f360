#pragma once
// Random programs, and what of an executor's answers must be the same to the last bit.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/program.h"
#include "core/seed.h"
#include "exec/executor.h"

namespace polar::test {

/// What must not change; times may.
inline auto bits(const exec::Answer& a) {
  return std::tuple(a.tokens, a.text, a.answer, a.answer_final, a.correct, a.answer_log_prob, a.margin,
                    a.scored_positions, a.confidence);
}

inline void expect_equal_bits(const std::vector<exec::Answer>& a, const std::vector<exec::Answer>& b,
                              const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  std::size_t differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing += bits(a[i]) != bits(b[i]) ? 1 : 0;
  EXPECT_EQ(differing, 0U) << what;
}

/// Skips and loops, overlapping ones included; of a sixth of the layers each.
inline core::Program random_program(core::Random& random, int depth) {
  std::vector<core::Program::Layer> layers;
  for (int layer = 0; layer < depth; ++layer) {
    const auto choice = random.below(6);
    if (choice == 0) continue;
    layers.push_back(static_cast<core::Program::Layer>(layer));
    if (choice == 1) layer = std::max<int>(-1, layer - static_cast<int>(random.below(3)));
    if (layers.size() > 2 * static_cast<std::size_t>(depth)) break;
  }
  if (layers.empty()) layers.push_back(0);
  return core::Program(std::move(layers));
}

}  // namespace polar::test
