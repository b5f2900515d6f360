#include "predict/learning_curve.h"

namespace polar::predict {
namespace {

using nlohmann::json;

json or_null(const std::optional<double>& value) {
  return value ? json(*value) : json();
}

/// A member that is missing, as in files of earlier versions, is as null.
std::optional<double> optional_member(const json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

json curve_json(const std::vector<EpochRecord>& curve) {
  json records = json::array();
  for (const EpochRecord& record : curve) {
    records.push_back({{"epoch", record.epoch},
                       {"train_loss", record.train_loss},
                       {"valid_loss", or_null(record.valid_loss)},
                       {"learning_rate", record.learning_rate},
                       {"valid_membership", or_null(record.valid_membership)},
                       {"valid_identity", or_null(record.valid_identity)}});
  }
  return records;
}

std::vector<EpochRecord> curve_from(const json& curve) {
  std::vector<EpochRecord> records;
  for (const json& record : curve) {
    records.push_back({record.at("epoch"), record.at("train_loss"), optional_member(record, "valid_loss"),
                       record.at("learning_rate"), optional_member(record, "valid_membership"),
                       optional_member(record, "valid_identity")});
  }
  return records;
}

}  // namespace polar::predict
