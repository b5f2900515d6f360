#include "predict/top_one.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace polar::predict {

std::optional<TopOne> score_top_one(std::span<const ProgramLogits> logits,
                                    std::span<const std::vector<core::Program>> valid, const DecodeOptions& options) {
  if (logits.size() != valid.size()) {
    throw core::Error(fmt::format("top-1 programs: expected valid programs of {} examples, found those of {}",
                                  logits.size(), valid.size()));
  }
  int examples = 0, members = 0, identities = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (valid[i].empty()) continue;
    const core::Program top = decode(logits[i], options).front().program;
    ++examples;
    if (std::ranges::find(valid[i], top) != valid[i].end()) ++members;
    if (top == core::Program::identity(logits[i].depth)) ++identities;
  }
  if (examples == 0) return std::nullopt;
  return TopOne{static_cast<double>(members) / examples, static_cast<double>(identities) / examples};
}

Calibration calibrate_threshold(std::span<const ProgramLogits> logits,
                                std::span<const std::vector<core::Program>> valid, DecodeOptions options) {
  constexpr std::array kNearestFirst{0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9};
  Calibration result;
  double best = -1;
  for (const double threshold : kNearestFirst) {
    options.boundary_threshold = threshold;
    const std::optional<TopOne> score = score_top_one(logits, valid, options);
    if (!score) return {};
    result.points.emplace_back(threshold, *score);
    if (score->membership > best) {
      best = score->membership;
      result.threshold = threshold;
    }
  }
  std::ranges::sort(result.points, {}, [](const auto& point) { return point.first; });
  return result;
}

}  // namespace polar::predict
