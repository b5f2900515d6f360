#include "predict/decode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/seed.h"
#include "predict/targets.h"

namespace polar::predict {
namespace {

using core::Program;

/// Boundaries where given; every operation at 0 but those set.
ProgramLogits logits_of(int depth, const std::set<int>& starts) {
  ProgramLogits logits{depth, 3, std::vector<float>(depth, -5), std::vector<float>(depth * 3, 0)};
  for (int start : starts) logits.boundary[start] = 5;
  return logits;
}

void prefer(ProgramLogits& logits, int layer, std::vector<float> values) {
  std::copy(values.begin(), values.end(), logits.operation.begin() + layer * logits.operations);
}

TEST(Decode, ReadsBoundariesAndOperationsAtSegmentStarts) {
  auto logits = logits_of(6, {2, 3});
  prefer(logits, 0, {0, 9, 0});
  prefer(logits, 1, {9, 0, 0});  // no segment starts here: not read
  prefer(logits, 2, {9, 0, 0});
  prefer(logits, 3, {0, 0, 9});
  const auto ranked = decode(logits, {});
  EXPECT_EQ(ranked[0].program, (Program{0, 1, 3, 4, 5, 3, 4, 5}));
  EXPECT_NEAR(ranked[0].log_prob, -3 * std::log1p(2 * std::exp(-9)), 1e-6);
}

TEST(Decode, RanksByLogProbabilityAsComputedByHand) {
  auto logits = logits_of(2, {1});
  prefer(logits, 0, {0, 2, 1});  // keep, then repeat
  prefer(logits, 1, {0, 3, 1});
  const double z0 = std::log(1 + std::exp(2) + std::exp(1)), z1 = std::log(1 + std::exp(3) + std::exp(1));
  const auto ranked = decode(logits, {});
  ASSERT_EQ(ranked.size(), 4U);
  EXPECT_EQ(ranked[0].program, (Program{0, 1}));
  EXPECT_NEAR(ranked[0].log_prob, 5 - z0 - z1, 1e-6);
  EXPECT_EQ(ranked[1].program, (Program{0, 0, 1}));
  EXPECT_NEAR(ranked[1].log_prob, 4 - z0 - z1, 1e-6);
  EXPECT_EQ(ranked[2].program, (Program{0, 1, 1}));
  EXPECT_EQ(ranked[3].program, (Program{0, 0, 1, 1}));
}

TEST(Decode, CutsLongSegmentsAtTheLimit) {
  auto logits = logits_of(6, {});
  prefer(logits, 0, {0, 0, 9});
  prefer(logits, 4, {0, 9, 0});
  EXPECT_EQ(decode(logits, {})[0].program, (Program{0, 1, 2, 3, 0, 1, 2, 3, 4, 5}));
}

TEST(Decode, NeverEmitsTheEmptyProgram) {
  auto logits = logits_of(3, {});
  prefer(logits, 0, {9, 0, -9});
  const auto ranked = decode(logits, {});
  ASSERT_EQ(ranked.size(), 1U);
  EXPECT_EQ(ranked[0].program, Program::identity(3));
}

TEST(Decode, MayStopRightAfterThePrefix) {
  auto logits = logits_of(3, {});
  prefer(logits, 1, {9, 0, -9});
  DecodeOptions options;
  options.first_layer = 1;
  EXPECT_EQ(decode(logits, options)[0].program, (Program{0}));
}

TEST(Decode, PutsTheSmallerOfEquallyProbableProgramsFirst) {
  const auto ranked = decode(logits_of(2, {1}), {.beam = 9, .top_operations = 3});
  ASSERT_EQ(ranked.size(), 8U);  // nine combinations but the empty one
  EXPECT_EQ(ranked[0].program, (Program{0}));
  EXPECT_EQ(ranked[1].program, (Program{1}));
}

TEST(Decode, RanksTheBeamByLengthToo) {
  auto logits = logits_of(2, {1});
  prefer(logits, 0, {1, 2, -9});  // keep, or e times less probable, skip
  prefer(logits, 1, {-9, 3, 1});
  const auto plain = decode(logits, {.beam = 2});
  EXPECT_EQ(plain[0].program, (Program{0, 1}));
  EXPECT_EQ(plain[1].program, (Program{1}));
  // They differ by 1 in log-probability and 1/2 in depth ratio: equal at 2.
  EXPECT_EQ(decode(logits, {.beam = 2, .length_penalty = 1.9})[0].program, (Program{0, 1}));
  const auto shorter = decode(logits, {.beam = 2, .length_penalty = 2.1});
  EXPECT_EQ(shorter[0].program, (Program{1}));
  EXPECT_EQ(shorter[0].log_prob, plain[1].log_prob);
  EXPECT_EQ(decode(logits, {.beam = 1, .length_penalty = 9})[0].program, (Program{0, 1})) << "only the beam is ranked";
}

TEST(Decode, EmitsOnlyValidDistinctRankedProgramsFromAnyLogits) {
  for (int trial = 0; trial < 400; ++trial) {
    core::Random random(core::derive_seed(11, "decode", std::to_string(trial)));
    const int depth = 1 + static_cast<int>(random.below(36));
    DecodeOptions options;
    options.limits.max_length = 1 + static_cast<int>(random.below(5));
    options.limits.max_runs = 1 + static_cast<int>(random.below(4));
    options.first_layer = static_cast<int>(random.below(depth));
    options.beam = 1 + static_cast<int>(random.below(8));
    options.top_operations = 2 + static_cast<int>(random.below(2));
    options.boundary_threshold = 0.1 + 0.8 * random.uniform();
    options.length_penalty = trial % 2 == 0 ? 0 : 20 * random.uniform();
    TargetOptions targets;
    targets.depth = depth;
    targets.first_layer = options.first_layer;
    targets.limits = options.limits;
    ProgramLogits logits{depth, options.limits.max_runs + 1, {}, {}};
    for (int i = 0; i < depth; ++i) logits.boundary.push_back(static_cast<float>(20 * random.uniform() - 10));
    for (int i = 0; i < depth * logits.operations; ++i) {
      logits.operation.push_back(static_cast<float>(40 * random.uniform() - 20));
    }
    const auto ranked = decode(logits, options);
    ASSERT_GE(ranked.size(), 1U);
    ASSERT_LE(static_cast<int>(ranked.size()), options.beam);
    std::set<Program> distinct;
    double previous = 0;
    for (const ScoredProgram& scored : ranked) {
      ASSERT_GE(scored.program.length(), 1);
      ASSERT_TRUE(parse_after_prefix(scored.program, targets)) << scored.program.text();
      ASSERT_LE(scored.log_prob, 0);
      const double score = scored.log_prob - options.length_penalty * scored.program.depth_ratio(depth);
      ASSERT_LE(score, previous);
      previous = score;
      distinct.insert(scored.program);
    }
    ASSERT_EQ(distinct.size(), ranked.size());
  }
}

TEST(Decode, RefusesLogitsThatAreNotFinite) {
  auto logits = logits_of(2, {});
  logits.operation[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(decode(logits, {}), core::Error);
}

TEST(Decode, RefusesSizesThatDisagreeAndOptionsOutOfRange) {
  auto logits = logits_of(2, {});
  EXPECT_THROW(decode(logits, {.limits = {4, 3}}), core::Error);
  EXPECT_THROW(decode(logits, {.first_layer = 2}), core::UsageError);
  EXPECT_THROW(decode(logits, {.beam = 0}), core::UsageError);
  EXPECT_THROW(decode(logits, {.length_penalty = -1}), core::UsageError);
  EXPECT_THROW(decode(logits, {.top_operations = 1}), core::UsageError);
  logits.boundary.pop_back();
  EXPECT_THROW(decode(logits, {}), core::Error);
}

}  // namespace
}  // namespace polar::predict
