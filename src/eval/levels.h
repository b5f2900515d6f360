#pragma once
// The levels that figures are given for. For eval/ and experiment/.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "eval/metrics.h"

namespace polar::eval {

/// Why no level may be named kAllLevels.
inline std::string reserved_level() {
  return fmt::format(
      "level: expected any name but '{}', which stands for all levels together; rename it in the data set", kAllLevels);
}

/// Levels in order of appearance, then kAllLevels; `level` gives an item's. Throws core::Error (reserved_level) when
/// one has that name.
template <typename Items, typename Level>
std::vector<std::string> levels_of(const Items& items, Level level) {
  std::vector<std::string> levels;
  for (const auto& item : items) {
    const std::string& own = std::invoke(level, item);
    if (own == kAllLevels) throw core::Error(reserved_level());
    if (std::ranges::find(levels, own) == levels.end()) levels.push_back(own);
  }
  levels.emplace_back(kAllLevels);
  return levels;
}

}  // namespace polar::eval
