#pragma once
// What an evaluation has answered so far, so that one that was stopped or killed goes on instead of beginning anew.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "eval/rows.h"

namespace polar::experiment {

/// A folder with the rows of every finished step, one file each, and the digest of all that they depend on. Not
/// thread-safe.
class EvaluationSteps {
 public:
  /// Keeps what the folder holds under this digest, and empties it otherwise. Throws core::Error naming the path when
  /// it cannot be written.
  EvaluationSteps(std::filesystem::path folder, const std::string& digest);

  /// The rows of a finished step. Throws core::Error naming the file when it is damaged.
  std::optional<std::vector<eval::EvaluationRow>> find(int step) const;

  /// Records a finished step: from then on it survives the process. Throws core::Error naming the path.
  void add(int step, const std::vector<eval::EvaluationRow>& rows);

  /// Deletes the folder: the evaluation was written elsewhere.
  void remove();

 private:
  std::filesystem::path file_of(int step) const;

  std::filesystem::path folder_;
};

}  // namespace polar::experiment
