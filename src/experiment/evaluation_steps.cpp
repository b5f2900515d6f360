#include "experiment/evaluation_steps.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace polar::experiment {

namespace fs = std::filesystem;

EvaluationSteps::EvaluationSteps(fs::path folder, const std::string& digest) : folder_(std::move(folder)) {
  const fs::path known = folder_ / "digest";
  if (fs::exists(known) && core::read_file(known) == digest) return;
  remove();
  core::ensure_folder(folder_);
  core::write_file(known, digest);
}

std::optional<std::vector<eval::EvaluationRow>> EvaluationSteps::find(int step) const {
  if (!fs::exists(file_of(step))) return std::nullopt;
  return eval::read_rows(file_of(step));
}

void EvaluationSteps::add(int step, const std::vector<eval::EvaluationRow>& rows) {
  eval::write_rows(file_of(step), rows);
}

void EvaluationSteps::remove() {
  std::error_code failure;
  fs::remove_all(folder_, failure);  // none there is no failure
  if (failure) throw core::Error(fmt::format("{}: cannot be removed: {}", folder_.string(), failure.message()));
}

fs::path EvaluationSteps::file_of(int step) const {
  return folder_ / fmt::format("step-{:06}.jsonl", step);
}

}  // namespace polar::experiment
