#pragma once
// Features on disk, so that training or evaluating again runs no layer for them.

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "exec/encoding.h"
#include "predict/artifact.h"
#include "predict/features.h"

namespace polar::experiment {

/// What features are a function of, as a digest: the pool's weights or the encoder's, the layers read, the fingerprint
/// of what executes, and the prompts (tokens; questions for an encoder), in their order.
std::string features_digest(const predict::Origin& origin, const std::string& fingerprint,
                            std::span<const exec::EncodedExample> prompts);

/// One file a set of prompts, FOLDER/DIGEST.features, in this machine's byte order. Files may be deleted at any time.
/// Not thread-safe; one process a folder.
class FeatureCache {
 public:
  explicit FeatureCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The features kept under a digest; without them, or where the file is damaged, what `read` gives, which is kept.
  /// Throws core::Error as core::write_file does.
  std::vector<predict::TokenFeatures> get(const std::string& digest,
                                          const std::function<std::vector<predict::TokenFeatures>()>& read) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace polar::experiment
