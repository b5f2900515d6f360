#include "predict/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace polar::predict {

void check_features(const TokenFeatures& features, int width, const std::string& what) {
  if (features.tokens < 1)
    throw core::Error(fmt::format("{}: expected at least one token, found {}", what, features.tokens));
  if (features.width != width || width < 1) {
    throw core::Error(
        fmt::format("{}: expected features of width {}, found {}; features must come from the pool and the layers "
                    "that the model was trained on",
                    what, width, features.width));
  }
  const auto expected = static_cast<std::size_t>(features.tokens) * static_cast<std::size_t>(width);
  if (features.values.size() != expected) {
    throw core::Error(fmt::format("{}: expected {} x {} = {} values, found {}", what, features.tokens, width, expected,
                                  features.values.size()));
  }
  for (std::size_t i = 0; i < expected; ++i) {
    if (!std::isfinite(features.values[i])) {
      throw core::Error(fmt::format("{}: token {}, dimension {}: expected a finite number, found {}", what, i / width,
                                    i % width, features.values[i]));
    }
  }
}

std::string_view to_string(Pooling pooling) {
  switch (pooling) {
    case Pooling::kLast:
      return "last";
    case Pooling::kMean:
      return "mean";
    case Pooling::kBoth:
      break;
  }
  return "both";
}

Pooling pooling(std::string_view name) {
  for (const Pooling each : {Pooling::kBoth, Pooling::kLast, Pooling::kMean})
    if (to_string(each) == name) return each;
  throw core::UsageError(fmt::format("pooling: expected both, last or mean, found '{}'", name));
}

std::vector<float> pooled(const TokenFeatures& features, Pooling pooling) {
  check_features(features, features.width, "pooled features");
  const auto width = static_cast<std::size_t>(features.width);
  std::vector<float> result;
  if (pooling != Pooling::kMean) result.assign(features.values.end() - features.width, features.values.end());
  if (pooling == Pooling::kLast) return result;
  std::vector<double> sums(width, 0.0);
  for (std::size_t i = 0; i < features.values.size(); ++i) sums[i % width] += features.values[i];
  for (double sum : sums) result.push_back(static_cast<float>(sum / features.tokens));
  return result;
}

TokenFeatures window_means(const TokenFeatures& features, int windows) {
  if (windows < 1) throw core::UsageError(fmt::format("windows: expected at least 1, found {}", windows));
  check_features(features, features.width, "windows of features");
  TokenFeatures means{std::min(windows, features.tokens), features.width, {}};
  const auto tokens = static_cast<std::size_t>(features.tokens), width = static_cast<std::size_t>(features.width);
  const auto count = static_cast<std::size_t>(means.tokens);
  for (std::size_t window = 0; window < count; ++window) {
    const std::size_t first = window * tokens / count, end = (window + 1) * tokens / count;
    std::vector<double> sums(width, 0.0);
    for (std::size_t i = first * width; i < end * width; ++i) sums[i % width] += features.values[i];
    for (const double sum : sums) means.values.push_back(static_cast<float>(sum / static_cast<double>(end - first)));
  }
  return means;
}

}  // namespace polar::predict
