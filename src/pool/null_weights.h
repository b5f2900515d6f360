#pragma once
// Weights of a null model (null_layers.h). Private to pool/.

#include <cstdint>
#include <string>

namespace torch::jit {
struct Module;
}

namespace polar::pool {

/// Draws every parameter of a loaded layer anew, in place: independent normal values with the tensor's own mean and
/// standard deviation, then rounded to its type. Gains of norms (parameters named *norm*) stay, as they set the scale
/// at which a layer reads the residual stream; so do buffers, such as tables of positions, which are no weights. Each
/// tensor has its own stream of (seed, layer, name), so equal seeds give equal weights on every machine, up to the last
/// bit of its logarithm and cosine; other values for the same seed need another kNullRevision. `layer` names the layer:
/// its file.
void reinitialise_weights(torch::jit::Module& module, const std::string& layer, std::uint64_t seed);

}  // namespace polar::pool
