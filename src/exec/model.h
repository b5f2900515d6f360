#pragma once
// A pool with its tokenizer: what every command that runs a model loads first.

#include <filesystem>
#include <memory>
#include <string>

#include "pool/module_pool.h"
#include "text/tokenizer.h"

namespace polar::exec {

struct Model {
  std::shared_ptr<const pool::ModulePool> pool;
  std::shared_ptr<const text::Tokenizer> tokenizer;
};

/// dtype, kernels and device as exec.dtype (auto, bfloat16, float32), exec.kernels (auto, library, rows, pairs, tiles)
/// and exec.device (cpu, cuda, cuda:N) take them; `null` for controls.
/// Throws as ModulePool::load and Tokenizer::load do.
Model load_model(const std::filesystem::path& folder, const std::string& dtype, const std::string& kernels = "auto",
                 const std::string& device = "cpu", const pool::NullOptions& null = {});

}  // namespace polar::exec
