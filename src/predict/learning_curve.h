#pragma once
// What training looked like, epoch by epoch, and as JSON (manifest, checkpoint, selection.json).

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace polar::predict {

struct EpochRecord {
  int epoch = 0;                     ///< from 1
  double train_loss = 0;             ///< weighted mean over the epoch's batches as they were met, dropout on
  std::optional<double> valid_loss;  ///< weighted mean after the epoch, dropout off; none without validation targets
  double learning_rate = 0;          ///< of the epoch's last step
  /// Of the top-1 programs on validation, after the epoch (top_one.h); none without valid programs.
  std::optional<double> valid_membership;
  std::optional<double> valid_identity;
  friend bool operator==(const EpochRecord&, const EpochRecord&) = default;
};

/// A list of objects with the members' names; what is missing is null. Reads back to the last bit.
nlohmann::json curve_json(const std::vector<EpochRecord>& curve);
/// Throws nlohmann::json::exception when it is not such a list.
std::vector<EpochRecord> curve_from(const nlohmann::json& curve);

}  // namespace polar::predict
