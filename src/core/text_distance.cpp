#include "core/text_distance.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace polar::core {

std::size_t text_distance(std::string_view a, std::string_view b) {
  // Rows of the table: distances from the first i - 2, i - 1 and i bytes of a to the first j bytes of b.
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(previous);
    previous.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, previous[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  if (word.empty()) return {};
  std::size_t best = std::min(std::max<std::size_t>(1, word.size() / 3), word.size() - 1) + 1;
  std::string found;
  for (const std::string& candidate : known) {
    const std::size_t distance = text_distance(word, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace polar::core
