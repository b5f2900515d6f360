#pragma once
// A dense row-major matrix of doubles: examples × features, or examples × programs.

#include <cstddef>
#include <span>
#include <vector>

namespace polar::predict {

struct Matrix {
  int rows = 0;
  int cols = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(int row_count, int col_count, double value = 0)
      : rows(row_count), cols(col_count), values(static_cast<std::size_t>(row_count) * col_count, value) {}
  /// Throws core::Error when rows are of different lengths.
  static Matrix from_rows(const std::vector<std::vector<double>>& rows);

  double& at(int row, int col) { return values[static_cast<std::size_t>(row) * cols + col]; }
  double at(int row, int col) const { return values[static_cast<std::size_t>(row) * cols + col]; }
  std::span<const double> row(int index) const {
    return std::span(values).subspan(static_cast<std::size_t>(index) * cols, cols);
  }
};

}  // namespace polar::predict
