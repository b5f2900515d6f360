#include "predict/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace polar::predict {
namespace {

/// Runs of each segment so far.
struct Hypothesis {
  std::vector<int> runs;
  double log_prob = 0;
};

void check(const ProgramLogits& logits, const DecodeOptions& options) {
  if (options.beam < 1 || options.top_operations < 2 || options.limits.max_length < 1 ||
      !(options.length_penalty >= 0)) {
    throw core::UsageError(fmt::format(
        "decoding: expected beam >= 1, top_operations >= 2, max_length >= 1, length_penalty >= 0; found {}, {}, {}, {}",
        options.beam, options.top_operations, options.limits.max_length, options.length_penalty));
  }
  if (options.first_layer < 0 || options.first_layer >= logits.depth) {
    throw core::UsageError(
        fmt::format("decoding: first_layer: expected 0 … {}, found {}", logits.depth - 1, options.first_layer));
  }
  if (options.limits.max_runs < 1 || logits.operations != options.limits.max_runs + 1) {
    throw core::Error(fmt::format("decoding: expected logits over max_runs + 1 = {} operations, found {}",
                                  options.limits.max_runs + 1, logits.operations));
  }
  const auto depth = static_cast<std::size_t>(logits.depth);
  if (logits.boundary.size() != depth || logits.operation.size() != depth * logits.operations) {
    throw core::Error(fmt::format("decoding: expected {} boundary and {} operation logits, found {} and {}", depth,
                                  depth * logits.operations, logits.boundary.size(), logits.operation.size()));
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(logits.boundary, finite) || !std::ranges::all_of(logits.operation, finite)) {
    throw core::Error("decoding: expected finite logits, found infinity or not-a-number; the predictor has diverged");
  }
}

core::Segments cut(const ProgramLogits& logits, const DecodeOptions& options) {
  core::Segments segments;
  for (int layer = options.first_layer; layer < logits.depth; ++layer) {
    const double probability = 1.0 / (1.0 + std::exp(-static_cast<double>(logits.boundary[layer])));
    const bool starts = layer == options.first_layer || probability >= options.boundary_threshold ||
                        segments.back().length == options.limits.max_length;
    if (starts) {
      segments.push_back({layer, 1, 1});
    } else {
      ++segments.back().length;
    }
  }
  return segments;
}

std::vector<double> log_softmax(const float* logits, int count) {
  const double top = *std::max_element(logits, logits + count);
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += std::exp(logits[i] - top);
  std::vector<double> result(count);
  for (int i = 0; i < count; ++i) result[i] = logits[i] - top - std::log(sum);
  return result;
}

/// Segments choose independently, so that the beam is exact for the operations it tries.
std::vector<Hypothesis> search(const ProgramLogits& logits, const core::Segments& segments, std::size_t width,
                               int top) {
  std::vector<Hypothesis> beam(1);
  for (const core::Segment& segment : segments) {
    const auto log_probs =
        log_softmax(&logits.operation[static_cast<std::size_t>(segment.first) * logits.operations], logits.operations);
    std::vector<int> order(logits.operations);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int a, int b) { return log_probs[a] > log_probs[b]; });
    order.resize(std::min<std::size_t>(order.size(), top));
    std::vector<Hypothesis> next;
    for (const Hypothesis& hypothesis : beam) {
      for (int runs : order) {
        next.push_back(hypothesis);
        next.back().runs.push_back(runs);
        next.back().log_prob += log_probs[runs];
      }
    }
    std::ranges::stable_sort(next, [](const auto& a, const auto& b) { return a.log_prob > b.log_prob; });
    if (next.size() > width) next.resize(width);
    beam = std::move(next);
  }
  return beam;
}

/// Highest score first, of equals the smaller program.
template <typename Score>
void rank(std::vector<ScoredProgram>& programs, Score score) {
  std::ranges::sort(programs, [&](const ScoredProgram& a, const ScoredProgram& b) {
    const double score_a = score(a), score_b = score(b);
    return score_a != score_b ? score_a > score_b : a.program < b.program;
  });
}

}  // namespace

std::vector<ScoredProgram> decode(const ProgramLogits& logits, const DecodeOptions& options) {
  check(logits, options);
  core::Segments segments = cut(logits, options);
  // One hypothesis more than asked for, since the empty program is not emitted.
  const auto beam = search(logits, segments, static_cast<std::size_t>(options.beam) + 1, options.top_operations);
  std::vector<ScoredProgram> result;
  for (const Hypothesis& hypothesis : beam) {
    const bool empty = std::ranges::all_of(hypothesis.runs, [](int runs) { return runs == 0; });
    if (empty && options.first_layer == 0) continue;
    core::Segments full;
    for (int layer = 0; layer < options.first_layer; ++layer) full.push_back({layer, 1, 1});
    for (std::size_t i = 0; i < segments.size(); ++i) {
      full.push_back({segments[i].first, segments[i].length, hypothesis.runs[i]});
    }
    result.push_back({core::expand(full, logits.depth), hypothesis.log_prob});
  }
  rank(result, [](const ScoredProgram& one) { return one.log_prob; });
  if (result.size() > static_cast<std::size_t>(options.beam)) result.resize(options.beam);
  if (options.length_penalty > 0) {
    rank(result, [&](const ScoredProgram& one) {
      return one.log_prob - options.length_penalty * one.program.depth_ratio(logits.depth);
    });
  }
  return result;
}

}  // namespace polar::predict
