#include "predict/cascade_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace polar::predict {
namespace {

constexpr double kNeverReached = 1;  ///< confidences are log-probabilities
constexpr FinalAnswer kFinalAnswers[] = {FinalAnswer::kMostConfident, FinalAnswer::kLast};

CascadePoint point_of(std::span<const std::vector<CascadeTry>> examples, const CascadeRule& rule) {
  CascadePoint point{rule};
  const auto share = 1 / static_cast<double>(examples.size());
  for (const std::vector<CascadeTry>& ranked : examples) {
    std::vector<double> confidences;
    while (goes_on(confidences, rule)) {
      const CascadeTry& next = ranked[confidences.size()];
      confidences.push_back(next.confidence);
      point.mean_depth_ratio += next.depth_ratio * share;
      point.mean_tries += share;
    }
    if (ranked[answer_of(confidences, rule)].correct) point.accuracy += share;
  }
  return point;
}

std::vector<double> thresholds_of(std::span<const std::vector<CascadeTry>> examples, int count) {
  std::vector<double> first;
  for (const std::vector<CascadeTry>& ranked : examples) first.push_back(ranked.front().confidence);
  std::ranges::sort(first);
  std::vector<double> thresholds;
  for (int i = 0; i < count; ++i)
    thresholds.push_back(first[(first.size() - 1) * static_cast<std::size_t>(i) / static_cast<std::size_t>(count - 1)]);
  thresholds.erase(std::ranges::unique(thresholds).begin(), thresholds.end());
  thresholds.push_back(kNeverReached);
  return thresholds;
}

}  // namespace

std::string to_string(FinalAnswer final_answer) {
  return final_answer == FinalAnswer::kLast ? "last" : "most-confident";
}

FinalAnswer final_answer(const std::string& name) {
  for (const FinalAnswer each : kFinalAnswers) {
    if (name == to_string(each)) return each;
  }
  throw core::UsageError(fmt::format("final answer: expected most-confident or last, found '{}'", name));
}

bool goes_on(std::span<const double> confidences, const CascadeRule& rule) {
  if (confidences.empty()) return true;
  return static_cast<int>(confidences.size()) < rule.tries && confidences.back() < rule.threshold;
}

std::size_t answer_of(std::span<const double> confidences, const CascadeRule& rule) {
  if (confidences.empty()) throw core::Error("cascade: expected at least one try, found none");
  if (rule.answer == FinalAnswer::kLast) return confidences.size() - 1;
  return static_cast<std::size_t>(std::ranges::max_element(confidences) - confidences.begin());
}

std::vector<CascadePoint> tune_cascade(std::span<const std::vector<CascadeTry>> examples, int tries, int thresholds) {
  if (tries < 1 || thresholds < 2) {
    throw core::UsageError(
        fmt::format("cascade: expected at least 1 try and 2 thresholds, found {} and {}", tries, thresholds));
  }
  if (examples.empty()) throw core::Error("cascade: expected examples to tune it on, found none");
  for (const std::vector<CascadeTry>& ranked : examples) {
    if (static_cast<int>(ranked.size()) < tries) {
      throw core::Error(fmt::format("cascade: expected {} programs of every example, found {}", tries, ranked.size()));
    }
  }
  std::vector<CascadePoint> points;
  for (int most = 1; most <= tries; ++most) {
    for (const double threshold : thresholds_of(examples, thresholds)) {
      for (const FinalAnswer answer : kFinalAnswers) points.push_back(point_of(examples, {most, threshold, answer}));
    }
  }
  return points;
}

}  // namespace polar::predict
