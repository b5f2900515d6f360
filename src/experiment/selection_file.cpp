#include "experiment/selection_file.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"

namespace polar::experiment {

nlohmann::json read_selection(const RunDirectory& directory) {
  const std::filesystem::path path = directory.file(kSelectionFile);
  const nlohmann::json selection = nlohmann::json::parse(core::read_file(path), nullptr, false);
  if (!selection.is_object()) {
    throw core::Error(
        fmt::format("{}: expected a JSON object, found damaged text: remove the file and train again", path.string()));
  }
  return selection;
}

void renew_selection(const RunDirectory& directory, const std::string& entry, const nlohmann::json& chosen) {
  const std::filesystem::path path = directory.file(kSelectionFile);
  if (!std::filesystem::exists(path)) return;
  nlohmann::json selection = read_selection(directory);
  selection[entry] = chosen;
  core::write_file(path, selection.dump(2));
}

}  // namespace polar::experiment
