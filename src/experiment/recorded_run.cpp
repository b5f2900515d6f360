#include "experiment/recorded_run.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::experiment {

labels::LabelStore open_recorded(const std::filesystem::path& run, const std::optional<labels::Split>& split) {
  const std::filesystem::path path = run / (split == labels::Split::kTest ? "oracle.sqlite" : "labels.sqlite");
  if (!std::filesystem::exists(path))
    throw core::UsageError(
        fmt::format("{}: expected a run's label store, found none; name a run's folder, such as runs/quickstart, whose "
                    "search has begun",
                    path.string()));
  return labels::LabelStore::read(path);
}

std::string run_name(const std::filesystem::path& run) {
  return (run.has_filename() ? run : run.parent_path()).filename().string();  // "runs/ladder/" ends with an empty name
}

}  // namespace polar::experiment
