#pragma once
// Program: the sequence of layer indices that is run instead of the identity 0 … D-1 (PoLar, arXiv 2606.06574, section
// 3).

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace polar::core {

/// A value: non-empty sequence of at most kMaxSteps layer indices (the default-constructed one is empty: no program
/// yet). Ordered by length, then lexicographically, so that "the smaller program" is the cheaper one.
/// Thread-safe as any const value. Knows nothing of the model: whether every index is below D is checked by
/// parse() and by whoever runs it.
class Program {
 public:
  using Layer = std::uint16_t;
  static constexpr std::size_t kMaxSteps = 4096;

  Program() = default;
  /// Throws Error when empty or longer than kMaxSteps.
  explicit Program(std::vector<Layer> layers);
  Program(std::initializer_list<int> layers);

  /// 0 … depth-1.
  static Program identity(int depth);

  /// Reads the notation (architecture.md, "Program notation"): `i`, `i-j`, `(…)*n`, separated by commas; nesting,
  /// spaces and n = 1 are accepted. Refuses descending runs, empty programs, more than kMaxSteps steps (before
  /// expanding them), n = 0, and layers ≥ depth when depth > 0. Throws UsageError naming the column (1-based).
  static Program parse(std::string_view text, int depth = 0);

  /// Canonical notation: no nested parentheses; minimal in order (1) printed layers, that is layer numbers written out
  /// (`i` one, `i-j` two, a loop's body once), (2) items, those in a loop included, (3) start of the first loop, (4)
  /// its body length; then more runs of it. parse(text()) gives the same program back. Costs O(K²); empty for the
  /// default-constructed program.
  std::string text() const;

  std::span<const Layer> layers() const { return layers_; }
  bool empty() const { return layers_.empty(); }
  /// K, the number of layer executions.
  int length() const { return static_cast<int>(layers_.size()); }
  /// Number of distinct layers.
  int unique_depth() const;
  /// K / D.
  double depth_ratio(int depth) const { return static_cast<double>(layers_.size()) / depth; }
  Layer operator[](std::size_t step) const { return layers_[step]; }

  friend bool operator==(const Program&, const Program&) = default;
  friend std::strong_ordering operator<=>(const Program& a, const Program& b) {
    if (auto by_length = a.layers_.size() <=> b.layers_.size(); by_length != 0) return by_length;
    return a.layers_ <=> b.layers_;
  }

 private:
  std::vector<Layer> layers_;
};

}  // namespace polar::core

template <>
struct std::hash<polar::core::Program> {
  std::size_t operator()(const polar::core::Program& program) const noexcept;
};
