#pragma once
// selection.json of a run: what was chosen before any test example is looked at.

#include <nlohmann/json.hpp>
#include <string>

#include "experiment/run_directory.h"

namespace polar::experiment {

inline constexpr const char* kSelectionFile = "selection.json";

/// Throws core::Error naming the file and what to do when it cannot be read or is no JSON object.
nlohmann::json read_selection(const RunDirectory& directory);

/// Replaces one entry of a selection.json that is there; training writes the first. Throws as read_selection, and
/// core::Error when it cannot be written.
void renew_selection(const RunDirectory& directory, const std::string& entry, const nlohmann::json& chosen);

}  // namespace polar::experiment
