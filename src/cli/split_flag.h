#pragma once
// The option --split.

#include <optional>
#include <string>

#include "labels/label_types.h"

namespace polar::cli {

/// "train", "valid" or "test", which the option checks; nullopt for "".
inline std::optional<labels::Split> split_named(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name == "train") return labels::Split::kTrain;
  return name == "valid" ? labels::Split::kValid : labels::Split::kTest;
}

}  // namespace polar::cli
