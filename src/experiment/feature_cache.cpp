#include "experiment/feature_cache.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/digest.h"
#include "core/file.h"

namespace polar::experiment {
namespace {

constexpr std::string_view kHead = "polar features 1\n";
constexpr std::size_t kDigestSize = 64;  ///< characters; of everything behind it

void append(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

std::string bytes_of(const std::vector<predict::TokenFeatures>& features) {
  constexpr std::size_t kBody = kHead.size() + kDigestSize;
  std::size_t size = kBody;
  for (const predict::TokenFeatures& one : features)
    size += 2 * sizeof(std::int32_t) + one.values.size() * sizeof(float);
  std::string bytes;
  bytes.reserve(size);
  bytes.append(kHead).append(kDigestSize, '0');
  for (const predict::TokenFeatures& one : features) {
    const std::int32_t shape[] = {one.tokens, one.width};
    append(bytes, shape, sizeof shape);
    append(bytes, one.values.data(), one.values.size() * sizeof(float));
  }
  bytes.replace(kHead.size(), kDigestSize, core::sha256(std::string_view(bytes).substr(kBody)));
  return bytes;
}

/// nullopt for bytes that bytes_of() did not write.
std::optional<std::vector<predict::TokenFeatures>> features_of(std::string_view bytes) {
  if (!bytes.starts_with(kHead) || bytes.size() < kHead.size() + kDigestSize) return std::nullopt;
  const std::string_view digest = bytes.substr(kHead.size(), kDigestSize);
  std::string_view body = bytes.substr(kHead.size() + kDigestSize);
  if (core::sha256(body) != digest) return std::nullopt;
  std::vector<predict::TokenFeatures> features;
  while (!body.empty()) {
    std::int32_t shape[2];
    std::memcpy(shape, body.data(), sizeof shape);
    body.remove_prefix(sizeof shape);
    predict::TokenFeatures& one = features.emplace_back(predict::TokenFeatures{shape[0], shape[1], {}});
    one.values.resize(static_cast<std::size_t>(one.tokens) * static_cast<std::size_t>(one.width));
    std::memcpy(one.values.data(), body.data(), one.values.size() * sizeof(float));
    body.remove_prefix(one.values.size() * sizeof(float));
  }
  return features;
}

}  // namespace

std::string features_digest(const predict::Origin& origin, const std::string& fingerprint,
                            std::span<const exec::EncodedExample> prompts) {
  core::Digest digest;
  digest.update(fmt::format("{} {} {} {} {}\n", origin.features, origin.prefix_layers, origin.weights_digest,
                            origin.encoder_digest, fingerprint));
  for (const exec::EncodedExample& prompt : prompts) {
    digest.update(fmt::format("{} {}\n", prompt.prompt.size(), prompt.question.size()));
    digest.update(prompt.prompt.data(), prompt.prompt.size() * sizeof prompt.prompt[0]).update(prompt.question);
  }
  return digest.finish();
}

std::vector<predict::TokenFeatures> FeatureCache::get(
    const std::string& digest, const std::function<std::vector<predict::TokenFeatures>()>& read) const {
  const std::filesystem::path file = folder_ / (digest + ".features");
  if (std::filesystem::exists(file)) {
    if (auto kept = features_of(core::read_file(file))) return *std::move(kept);
  }
  std::vector<predict::TokenFeatures> features = read();
  core::ensure_folder(folder_);
  core::write_file(file, bytes_of(features));
  return features;
}

}  // namespace polar::experiment
