#include "core/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/error.h"

namespace polar::core {

namespace {

void check_cover(const Segments& segments, int depth) {
  if (depth < 1) throw Error(fmt::format("segments: expected a depth of at least 1, found {}", depth));
  std::int64_t next = 0;
  for (const Segment& segment : segments) {
    if (segment.first != next || segment.length < 1 || segment.runs < 0) {
      throw Error(fmt::format(
          "segments: expected one that starts at layer {} with length ≥ 1 and runs ≥ 0, found first {}, length {}, "
          "runs {}",
          next, segment.first, segment.length, segment.runs));
    }
    next += segment.length;
  }
  if (next != depth) throw Error(fmt::format("segments: expected to cover {} layers, found {}", depth, next));
}

/// The best parse of layers first … depth - 1, its first segment and what it counts, least first. Fewest segments,
/// fewest skips, most repeats, and, by the order in which lengths are tried, the longest first segment. (A best parse
/// goes on with a best parse.)
struct Tail {
  bool exists = false;
  int segments = 0;
  int skips = 0;
  int repeats = 0;
  Segment head;

  bool better_than(const Tail& other) const {
    if (!other.exists) return true;
    if (segments != other.segments) return segments < other.segments;
    if (skips != other.skips) return skips < other.skips;
    return repeats > other.repeats;
  }
};

/// How often layers first … first + length - 1 run when they are to give exactly these steps, or nullopt when they
/// cannot.
std::optional<int> runs_in(std::span<const Program::Layer> steps, int first, int length) {
  const auto size = static_cast<std::size_t>(length);
  if (steps.size() % size != 0) return std::nullopt;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    if (steps[step] != static_cast<std::size_t>(first) + step % size) return std::nullopt;
  }
  return static_cast<int>(steps.size() / size);
}

}  // namespace

Program expand(const Segments& segments, int depth) {
  check_cover(segments, depth);
  std::int64_t size = 0;
  for (const Segment& segment : segments) size += std::int64_t{segment.length} * segment.runs;
  if (size < 1) throw Error("segments: all are skipped; keep at least one");
  if (size > static_cast<std::int64_t>(Program::kMaxSteps)) {
    throw Error(fmt::format("segments: expected at most {} steps, found {}", Program::kMaxSteps, size));
  }
  std::vector<Program::Layer> layers;
  layers.reserve(static_cast<std::size_t>(size));
  for (const Segment& segment : segments) {
    for (int run = 0; run < segment.runs; ++run) {
      for (int layer = 0; layer < segment.length; ++layer)
        layers.push_back(static_cast<Program::Layer>(segment.first + layer));
    }
  }
  return Program(std::move(layers));
}

// Every step of a segment comes before every step of the next, so the segments below layer d give exactly the steps up
// to the first of a layer ≥ d: where each boundary falls in the program is known beforehand, and the program over
// layers alone decides.
std::optional<Segments> parse_segments(const Program& program, int depth, const SegmentLimits& limits) {
  if (depth < 1 || limits.max_length < 1 || limits.max_runs < 1) {
    throw Error(
        fmt::format("segments: expected depth, longest segment and most runs of at least 1, found {}, {} and {}", depth,
                    limits.max_length, limits.max_runs));
  }
  std::vector<std::size_t> steps_below(static_cast<std::size_t>(depth) + 1, 0);
  for (Program::Layer layer : program.layers()) {
    for (auto boundary = static_cast<std::size_t>(layer) + 1; boundary < steps_below.size(); ++boundary)
      ++steps_below[boundary];
  }
  if (program.empty() || steps_below.back() != program.layers().size()) return std::nullopt;

  std::vector<Tail> best(static_cast<std::size_t>(depth) + 1);
  best.back().exists = true;
  for (int first = depth - 1; first >= 0; --first) {
    const std::size_t at = static_cast<std::size_t>(first);
    for (int length = std::min(limits.max_length, depth - first); length >= 1; --length) {
      const std::size_t end = at + static_cast<std::size_t>(length);
      if (!best[end].exists) continue;
      const auto steps = program.layers().subspan(steps_below[at], steps_below[end] - steps_below[at]);
      const std::optional<int> runs = runs_in(steps, first, length);
      if (!runs || *runs > limits.max_runs) continue;
      Tail tail = best[end];
      tail.segments += 1;
      tail.skips += *runs == 0;
      tail.repeats += *runs >= 2;
      tail.head = {first, length, *runs};
      if (tail.better_than(best[at])) best[at] = tail;
    }
  }
  if (!best.front().exists) return std::nullopt;
  Segments segments;
  for (int first = 0; first < depth; first += segments.back().length)
    segments.push_back(best[static_cast<std::size_t>(first)].head);
  return segments;
}

std::vector<int> boundary_mask(const Segments& segments, int depth) {
  check_cover(segments, depth);
  std::vector<int> mask(static_cast<std::size_t>(depth), 0);
  for (const Segment& segment : segments) mask[static_cast<std::size_t>(segment.first)] = 1;
  return mask;
}

}  // namespace polar::core
