#include "predict/artifact.h"

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"

namespace polar::predict {
namespace {

constexpr int kFormatVersion = 1;
constexpr const char* kManifest = "manifest.json";

void remove_other_weights(const std::filesystem::path& folder, const std::string& keep) {
  std::error_code ignored;  // a leftover file harms nothing
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("weights-") && name.ends_with(".bin") && name != keep)
      std::filesystem::remove(entry.path(), ignored);
  }
}

nlohmann::json read_manifest(const std::filesystem::path& path) {
  const std::string text = core::read_file(path);
  auto manifest = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (manifest.is_object()) return manifest;
  throw core::Error(
      fmt::format("{}: expected a JSON object, found {} bytes that are none; train again", path.string(), text.size()));
}

}  // namespace

void refuse_field(const std::filesystem::path& folder, const char* key, const char* reason) {
  throw core::Error(fmt::format("{}: {}: {}; the file is damaged or was edited: train again",
                                (folder / kManifest).string(), key, reason));
}

void save_artifact(const std::filesystem::path& folder, std::string_view kind, const Artifact& artifact) {
  core::ensure_folder(folder);
  const std::string digest = core::sha256(artifact.weights);
  const std::string file = fmt::format("weights-{}.bin", digest.substr(0, 16));
  core::write_file(folder / file, artifact.weights);
  nlohmann::json manifest{{"format_version", kFormatVersion},
                          {"kind", kind},
                          {"pool_weights_digest", artifact.origin.weights_digest},
                          {"task_digest", artifact.origin.task_digest},
                          {"features", artifact.origin.features},
                          {"prefix_layers", artifact.origin.prefix_layers},
                          {"weights_file", file},
                          {"weights_sha256", digest},
                          {"body", artifact.body}};
  if (!artifact.origin.cache_semantics.empty()) manifest["cache_semantics"] = artifact.origin.cache_semantics;
  if (!artifact.origin.encoder.empty()) {
    manifest["encoder"] = artifact.origin.encoder;
    manifest["encoder_digest"] = artifact.origin.encoder_digest;
  }
  core::write_file(folder / kManifest, manifest.dump(2) + "\n");
  remove_other_weights(folder, file);
}

std::string artifact_kind(const std::filesystem::path& folder) {
  return manifest_field<std::string>(read_manifest(folder / kManifest), folder, "kind");
}

Artifact load_artifact(const std::filesystem::path& folder, std::string_view kind, std::string_view weights_digest) {
  const auto manifest = read_manifest(folder / kManifest);
  const auto version = manifest_field<int>(manifest, folder, "format_version");
  if (version != kFormatVersion) {
    throw core::Error(
        fmt::format("{}: format version: expected {}, found {}; use the polar that wrote it, or train again",
                    (folder / kManifest).string(), kFormatVersion, version));
  }
  const auto found_kind = manifest_field<std::string>(manifest, folder, "kind");
  if (found_kind != kind) {
    throw core::Error(fmt::format("{}: expected a {}, found a {}", folder.string(), kind, found_kind));
  }
  Artifact artifact;
  artifact.origin = {manifest_field<std::string>(manifest, folder, "pool_weights_digest"),
                     manifest_field<std::string>(manifest, folder, "task_digest"),
                     manifest_field<std::string>(manifest, folder, "features"),
                     manifest_field<int>(manifest, folder, "prefix_layers"),
                     {},
                     {}};
  if (manifest.contains("cache_semantics")) {  // earlier manifests have none
    artifact.origin.cache_semantics = manifest_field<std::string>(manifest, folder, "cache_semantics");
    if (artifact.origin.cache_semantics != "per_step" && artifact.origin.cache_semantics != "shared_slot")
      refuse_field(folder, "cache_semantics", "expected per_step or shared_slot");
  }
  if (artifact.origin.features == "encoder") {
    artifact.origin.encoder = manifest_field<std::string>(manifest, folder, "encoder");
    artifact.origin.encoder_digest = manifest_field<std::string>(manifest, folder, "encoder_digest");
  }
  if (artifact.origin.weights_digest != weights_digest) {
    throw core::Error(fmt::format(
        "{}: this {} was trained for another pool: expected weights digest {}, found {}; train it on this pool",
        folder.string(), kind, weights_digest, artifact.origin.weights_digest));
  }
  const auto file = folder / manifest_field<std::string>(manifest, folder, "weights_file");
  artifact.weights = core::read_file(file);
  const auto expected = manifest_field<std::string>(manifest, folder, "weights_sha256");
  if (const std::string found = core::sha256(artifact.weights); found != expected) {
    throw core::Error(fmt::format("{}: expected SHA-256 {}, found {}; the file is damaged: train again", file.string(),
                                  expected, found));
  }
  artifact.body = manifest_field<nlohmann::json>(manifest, folder, "body");
  return artifact;
}

}  // namespace polar::predict
