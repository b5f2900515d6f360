#pragma once
// Reading and writing files whole: writes go to a temporary file in the same folder that is renamed at the end, so
// nothing is ever half-written.

#include <filesystem>
#include <string>
#include <string_view>

namespace polar::core {

/// The file's bytes. Throws Error naming the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Replaces the file atomically (temporary file, fsync, rename). Throws Error naming the path and the system's reason
/// (disk full, no permission); the old content is then untouched and the temporary file removed.
void write_file(const std::filesystem::path& path, std::string_view content);

/// Creates the folder and its parents. Throws UsageError naming the path and reason when it cannot be created or
/// written to.
void ensure_folder(const std::filesystem::path& path);

}  // namespace polar::core
