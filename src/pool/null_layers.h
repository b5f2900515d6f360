#pragma once
// Null models: the same pool without what training put into its layers. What a search finds in one, it finds in noise.

#include <cstdint>
#include <string_view>
#include <vector>

#include "pool/manifest.h"

namespace polar::pool {

enum class NullLayers {
  kNone,           ///< the pool as it is
  kShuffled,       ///< the same layers, each in another's place
  kReinitialised,  ///< weights of the layers drawn anew, each tensor with its own mean and deviation (null_weights.h)
};
std::string_view to_string(NullLayers layers);  ///< "none", "shuffled", "reinitialised"
/// "shuffled" | "reinitialised"; throws core::UsageError for other text.
NullLayers null_layers_of(std::string_view name);

/// Embedding, output head and tokenizer stay in any case.
struct NullOptions {
  NullLayers layers = NullLayers::kNone;
  std::uint64_t seed = 0;  ///< of the order, or of the weights; equal seeds, equal model
};

/// Raised whenever an equal seed gives another order or other weights (shuffled_order, null_weights.h): it enters the
/// digest, so that outcomes of the earlier null model are not taken for those of the new one.
inline constexpr int kNullRevision = 1;

/// Which layer of the pool stands in each place: place p of the null model is layer order[p]. Uniform over the orders
/// other than the pool's own (of which a single layer has none). So a program (i_1 … i_K) of the null model computes
/// what (order[i_1] … order[i_K]) computes on the pool.
std::vector<int> shuffled_order(int depth, std::uint64_t seed);

/// The manifest of the null model. Its weights_digest is that of the pool's digest, the kind, the seed and
/// kNullRevision, so that no labels, policies or caches are taken for the pool's; its name says what it is. Nothing
/// changes with kNone.
Manifest null_manifest(Manifest manifest, const NullOptions& options);

}  // namespace polar::pool
