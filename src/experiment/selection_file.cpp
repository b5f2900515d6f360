#include "experiment/selection_file.h"

#include "core/file.h"

namespace polar::experiment {

void renew_selection(const RunDirectory& directory, const std::string& entry, const nlohmann::json& chosen) {
  const std::filesystem::path path = directory.file(kSelectionFile);
  if (!std::filesystem::exists(path)) return;
  nlohmann::json selection = nlohmann::json::parse(core::read_file(path));
  selection[entry] = chosen;
  core::write_file(path, selection.dump(2));
}

}  // namespace polar::experiment
