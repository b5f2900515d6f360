#include "predict/matrix.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::predict {

Matrix Matrix::from_rows(const std::vector<std::vector<double>>& rows) {
  Matrix matrix(static_cast<int>(rows.size()), rows.empty() ? 0 : static_cast<int>(rows.front().size()));
  matrix.values.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<int>(rows[i].size()) != matrix.cols) {
      throw core::Error(fmt::format("matrix row {}: expected {} values, found {}", i, matrix.cols, rows[i].size()));
    }
    matrix.values.insert(matrix.values.end(), rows[i].begin(), rows[i].end());
  }
  return matrix;
}

}  // namespace polar::predict
