#pragma once
// Looks figures up for tables. Private to eval/.

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "eval/metrics.h"

namespace polar::eval {

/// "static_best" → "static best".
std::string shown_name(std::string_view policy);

/// Borrows the figures. Names come in order of appearance.
class FigureIndex {
 public:
  explicit FigureIndex(const std::vector<Figure>& figures);
  const std::vector<std::string>& splits() const { return splits_; }
  std::vector<std::string> policies(std::string_view split) const;
  std::vector<std::string> levels(std::string_view split) const;
  /// Null when there is none.
  const Figure* find(std::string_view policy, std::string_view split, std::string_view level, std::string_view metric,
                     int k = 1) const;
  /// Whether the policy's own answers need the reference.
  bool oracle(std::string_view policy, std::string_view split) const;
  /// Largest k of any pass@k in the split.
  int max_k(std::string_view split) const;

 private:
  using Key = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view, int>;
  const std::vector<Figure>& figures_;
  std::vector<std::string> splits_;
  std::map<Key, const Figure*> by_key_;
};

}  // namespace polar::eval
