#pragma once
// A run's folder as those find it who read what it recorded.

#include <filesystem>
#include <optional>
#include <string>

#include "labels/label_store.h"

namespace polar::experiment {

/// The run's label store, for reading: labels.sqlite, or oracle.sqlite for the test split. Throws core::UsageError when
/// there is none, otherwise as LabelStore::read does.
labels::LabelStore open_recorded(const std::filesystem::path& run, const std::optional<labels::Split>& split);

/// "ladder" for runs/ladder and for runs/ladder/.
std::string run_name(const std::filesystem::path& run);

}  // namespace polar::experiment
