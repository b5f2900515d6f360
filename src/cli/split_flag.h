#pragma once
// What --split names.

#include <optional>
#include <string>

#include "labels/label_types.h"

namespace polar::cli {

/// Of "train", "valid", "test", which the option's check ensures; nullopt for "", where it was not given.
inline std::optional<labels::Split> split_named(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name == "train") return labels::Split::kTrain;
  return name == "valid" ? labels::Split::kValid : labels::Split::kTest;
}

}  // namespace polar::cli
