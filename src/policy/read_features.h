#pragma once
// The states of prompts that policies read.

#include <span>
#include <vector>

#include "core/program.h"
#include "exec/encoding.h"
#include "exec/executor.h"
#include "predict/artifact.h"
#include "predict/features.h"

namespace polar::policy {

/// What a trained policy reads: layers 0 … p−1 of its origin, or none, for the embeddings.
core::Program feature_program(const predict::Origin& origin);

/// Features of prompts, in their order: hidden rows after `prefix`. An executor with a cache, and without a shared
/// prompt, finds these states again when it answers the same prompts under programs that begin with `prefix`.
std::vector<predict::TokenFeatures> read_features(exec::Executor& executor,
                                                  std::span<const exec::EncodedExample> prompts,
                                                  const core::Program& prefix);

}  // namespace polar::policy
