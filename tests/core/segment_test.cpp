#include "core/segment.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/seed.h"

namespace polar::core {
namespace {

TEST(Segments, ExpandToTheLayersTheyRun) {
  EXPECT_EQ(expand({{0, 2, 1}, {2, 1, 0}, {3, 2, 2}, {5, 1, 3}}, 6), Program({0, 1, 3, 4, 3, 4, 5, 5, 5}));
}

TEST(Segments, RefuseGapsOverlapsAndWrongEnds) {
  EXPECT_THROW(expand({{0, 2, 1}, {3, 1, 1}}, 4), Error);
  EXPECT_THROW(expand({{0, 2, 1}, {1, 3, 1}}, 4), Error);
  EXPECT_THROW(expand({{1, 3, 1}}, 4), Error);
  EXPECT_THROW(expand({{0, 3, 1}}, 4), Error);
  EXPECT_THROW(expand({{0, 5, 1}}, 4), Error);
  EXPECT_THROW(expand({}, 4), Error);
  EXPECT_THROW(expand({}, 0), Error);
}

TEST(Segments, RefuseEmptySegmentsNegativeRunsAndProgramsTooLongOrEmpty) {
  EXPECT_THROW(expand({{0, 0, 1}, {0, 4, 1}}, 4), Error);
  EXPECT_THROW(expand({{0, 4, -1}}, 4), Error);
  EXPECT_THROW(expand({{0, 2, 0}, {2, 2, 0}}, 4), Error);
  EXPECT_THROW(expand({{0, 4, 1025}}, 4), Error);
  EXPECT_THROW(expand({{0, 4, 2000000000}}, 4), Error);
  EXPECT_EQ(expand({{0, 4, 1024}}, 4).length(), 4096);
}

TEST(Segments, MarkWhereTheyStart) {
  EXPECT_EQ(boundary_mask({{0, 2, 1}, {2, 1, 0}, {3, 2, 2}}, 5), (std::vector<int>{1, 0, 1, 1, 0}));
  EXPECT_THROW(boundary_mask({{0, 2, 1}}, 5), Error);
}

TEST(ParseSegments, PutsLongerSegmentsEarlier) {
  EXPECT_EQ(parse_segments(Program::identity(6), 6), (Segments{{0, 4, 1}, {4, 2, 1}}));
}

TEST(ParseSegments, ReadsSkipsAndRepeats) {
  EXPECT_EQ(parse_segments(Program::parse("0-1,(2-3)*2,5"), 6), (Segments{{0, 2, 1}, {2, 2, 2}, {4, 1, 0}, {5, 1, 1}}));
  EXPECT_EQ(parse_segments(Program::parse("3"), 4), (Segments{{0, 3, 0}, {3, 1, 1}}));
}

TEST(ParseSegments, ReadsMoreRunsOnlyWhereTheVocabularyHasThem) {
  const Program program = Program::parse("(0-1)*3,2");
  EXPECT_EQ(parse_segments(program, 3), std::nullopt);
  EXPECT_EQ(parse_segments(program, 3, {.max_length = 4, .max_runs = 3}), (Segments{{0, 2, 3}, {2, 1, 1}}));
}

TEST(ParseSegments, FindsNoFormForProgramsOutsideIt) {
  EXPECT_EQ(parse_segments(Program::parse("0-2,1-3,2-5"), 6), std::nullopt);  // loops that overlap
  EXPECT_EQ(parse_segments(Program::parse("(0-4)*2,5"), 6), std::nullopt);    // a loop longer than a segment
  EXPECT_EQ(parse_segments(Program::parse("0,2,1"), 3), std::nullopt);        // descending
  EXPECT_EQ(parse_segments(Program::parse("0-1,(0-1,0)*2"), 2), std::nullopt);
  EXPECT_EQ(parse_segments(Program::parse("0-6"), 6), std::nullopt);  // a layer the model lacks
  EXPECT_EQ(parse_segments(Program(), 6), std::nullopt);
}

TEST(ParseSegments, RefusesBoundsBelowOne) {
  EXPECT_THROW(parse_segments(Program({0}), 0), Error);
  EXPECT_THROW(parse_segments(Program({0}), 1, {.max_length = 0, .max_runs = 2}), Error);
  EXPECT_THROW(parse_segments(Program({0}), 1, {.max_length = 4, .max_runs = 0}), Error);
}

void enumerate(int depth, const SegmentLimits& limits, Segments& segments, std::vector<Segments>& all) {
  const int next = segments.empty() ? 0 : segments.back().first + segments.back().length;
  if (next == depth) {
    all.push_back(segments);
    return;
  }
  for (int length = 1; length <= limits.max_length && next + length <= depth; ++length) {
    for (int runs = 0; runs <= limits.max_runs; ++runs) {
      segments.push_back({next, length, runs});
      enumerate(depth, limits, segments, all);
      segments.pop_back();
    }
  }
}

/// What the canonical parse minimises.
std::tuple<std::size_t, int, int, std::vector<int>> cost(const Segments& segments) {
  int skips = 0, minus_repeats = 0;
  std::vector<int> minus_lengths;
  for (const Segment& segment : segments) {
    skips += segment.runs == 0;
    minus_repeats -= segment.runs >= 2;
    minus_lengths.push_back(-segment.length);
  }
  return {segments.size(), skips, minus_repeats, minus_lengths};
}

bool all_skipped(const Segments& segments) {
  for (const Segment& segment : segments) {
    if (segment.runs > 0) return false;
  }
  return true;
}

/// The best segmentation of every program in segment form, by trying all.
std::map<Program, Segments> canonical_parses(int depth, const SegmentLimits& limits) {
  std::vector<Segments> all;
  Segments segments;
  enumerate(depth, limits, segments, all);
  std::map<Program, Segments> best;
  for (const Segments& candidate : all) {
    if (all_skipped(candidate)) continue;
    auto [entry, fresh] = best.emplace(expand(candidate, depth), candidate);
    if (!fresh && cost(candidate) < cost(entry->second)) entry->second = candidate;
  }
  return best;
}

TEST(ParseSegments, AgreesWithTryingEverySegmentation) {
  for (const SegmentLimits& limits :
       {SegmentLimits{4, 2}, SegmentLimits{2, 3}, SegmentLimits{3, 4}, SegmentLimits{1, 2}}) {
    for (int depth = 1; depth <= 6; ++depth) {
      for (const auto& [program, expected] : canonical_parses(depth, limits)) {
        const std::optional<Segments> found = parse_segments(program, depth, limits);
        ASSERT_EQ(found, expected) << program.text() << " of depth " << depth;
        ASSERT_EQ(expand(*found, depth), program);
      }
    }
  }
}

TEST(ParseSegments, FindsAFormExactlyWhenThereIsOne) {
  constexpr int kDepth = 3;
  const std::map<Program, Segments> known = canonical_parses(kDepth, {});
  std::vector<std::vector<Program::Layer>> programs{{}};
  for (int length = 1; length <= 7; ++length) {
    std::vector<std::vector<Program::Layer>> longer;
    for (const auto& program : programs) {
      for (int layer = 0; layer < kDepth; ++layer) {
        longer.push_back(program);
        longer.back().push_back(static_cast<Program::Layer>(layer));
      }
    }
    programs = longer;
    for (const auto& layers : programs) {
      const Program program(layers);
      ASSERT_EQ(parse_segments(program, kDepth).has_value(), known.contains(program)) << program.text();
    }
  }
}

TEST(ParseSegments, ParsingThenExpandingGivesTheProgramBack) {
  Random random(3);
  for (int round = 0; round < 2000; ++round) {
    const int depth = 1 + static_cast<int>(random.below(60));
    Segments segments;
    for (int next = 0; next < depth; next += segments.back().length) {
      const int length = std::min(depth - next, 1 + static_cast<int>(random.below(4)));
      segments.push_back({next, length, static_cast<int>(random.below(5))});
    }
    if (all_skipped(segments)) continue;
    const Program program = expand(segments, depth);
    const std::optional<Segments> parsed = parse_segments(program, depth, {.max_length = 4, .max_runs = 4});
    ASSERT_TRUE(parsed.has_value());
    ASSERT_EQ(expand(*parsed, depth), program);
    ASSERT_LE(cost(*parsed), cost(segments));
  }
}

}  // namespace
}  // namespace polar::core
