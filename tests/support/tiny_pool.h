#pragma once
// A whole pool package of a few kilobytes with random weights, written by the test itself: TorchScript modules with the
// pool contract, a byte-level tokenizer and a manifest.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "pool/module_pool.h"
#include "text/tokenizer.h"

namespace polar::test {

struct TinyPoolOptions {
  int depth = 6;
  int hidden = 32;
  int heads = 4;
  int kv_heads = 2;
  int head_size = 8;
  int inner = 48;
  int context = 256;
  std::uint64_t seed = 1;
  bool odd_logits = false;  ///< the logit of '!' is no number
};

/// Writes the package into `folder` (made when absent). Vocabulary: 256 bytes and <|end|> = 256, the stop token. Digits
/// and spaces are made likely, so that graders find something.
void write_tiny_pool(const std::filesystem::path& folder, const TinyPoolOptions& options = {});

/// Writes pool.json with the seal that belongs to its text.
void write_manifest(const std::filesystem::path& folder, nlohmann::json manifest);

struct LoadedPool {
  std::shared_ptr<const pool::ModulePool> pool;
  std::shared_ptr<const text::Tokenizer> tokenizer;
};
LoadedPool load_pool(const std::filesystem::path& folder, pool::DType dtype,
                     pool::Kernels kernels = pool::Kernels::kLibrary, const std::string& device = "cpu");

}  // namespace polar::test
