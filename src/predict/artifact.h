#pragma once
// Trained things on disk: a folder with manifest.json and one binary file, tied to the pool they were made for.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace polar::predict {

/// What a trained thing was made from. Both digests are the pool's and the task's own (architecture.md).
struct Origin {
  std::string weights_digest;        ///< of the pool; a predictor for another pool is refused
  std::string task_digest;           ///< recorded only: other tasks may be answered
  std::string features;              ///< kind of input: "states" (after prefix_layers layers), "embeddings",
                                     ///< "encoder", or a router's (kRouterFeatures)
  int prefix_layers = 0;             ///< p
  std::string encoder = {};          ///< folder of the encoder package; empty unless features is "encoder"
  std::string encoder_digest = {};   ///< its own; another encoder is refused
  std::string cache_semantics = {};  ///< exec.cache_semantics of its labels; empty: the manifest does not say
  friend bool operator==(const Origin&, const Origin&) = default;
};

struct Artifact {
  Origin origin;
  nlohmann::json body;  ///< the kind's own part of the manifest
  std::string weights;
};

/// Writes FOLDER/weights-<digest>.bin, then replaces FOLDER/manifest.json, which names it: a reader sees the old thing
/// or the new one, never a mixture. Then removes weights that the manifest no longer names. Throws core::Error naming
/// the path and the reason.
void save_artifact(const std::filesystem::path& folder, std::string_view kind, const Artifact& artifact);

/// The manifest's kind. Throws core::Error when there is no readable manifest.
std::string artifact_kind(const std::filesystem::path& folder);

/// Throws core::Error naming file, expected, found and remedy when a file is missing or damaged, the format is newer,
/// the thing is of another kind, or it was made for another pool (both digests are named).
Artifact load_artifact(const std::filesystem::path& folder, std::string_view kind, std::string_view weights_digest);

/// body[key] as T. Throws core::Error naming the folder and the key when it is missing or of another type.
template <typename T>
T manifest_field(const nlohmann::json& body, const std::filesystem::path& folder, const char* key);

/// Throws the error of manifest_field.
[[noreturn]] void refuse_field(const std::filesystem::path& folder, const char* key, const char* reason);

template <typename T>
T manifest_field(const nlohmann::json& body, const std::filesystem::path& folder, const char* key) {
  try {
    return body.at(key).get<T>();
  } catch (const nlohmann::json::exception& error) {
    refuse_field(folder, key, error.what());
  }
}

}  // namespace polar::predict
