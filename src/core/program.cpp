#include "core/program.h"

#include <fmt/format.h>

#include <limits>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace polar::core {

namespace {

std::vector<Program::Layer> to_layers(std::initializer_list<int> values) {
  std::vector<Program::Layer> layers;
  layers.reserve(values.size());
  for (int value : values) {
    if (value < 0 || value > std::numeric_limits<Program::Layer>::max()) {
      throw Error(fmt::format("program: expected layers from 0 to {}, found {}",
                              std::numeric_limits<Program::Layer>::max(), value));
    }
    layers.push_back(static_cast<Program::Layer>(value));
  }
  return layers;
}

}  // namespace

Program::Program(std::vector<Layer> layers) : layers_(std::move(layers)) {
  if (layers_.empty() || layers_.size() > kMaxSteps) {
    throw Error(fmt::format("program: expected 1 to {} steps, found {}", kMaxSteps, layers_.size()));
  }
}

Program::Program(std::initializer_list<int> layers) : Program(to_layers(layers)) {}

Program Program::identity(int depth) {
  if (depth < 1 || static_cast<std::size_t>(depth) > kMaxSteps) {
    throw Error(fmt::format("identity program: expected a depth from 1 to {}, found {}", kMaxSteps, depth));
  }
  std::vector<Layer> layers(static_cast<std::size_t>(depth));
  std::iota(layers.begin(), layers.end(), Layer{0});
  return Program(std::move(layers));
}

int Program::unique_depth() const {
  std::vector<bool> seen(std::size_t{std::numeric_limits<Layer>::max()} + 1, false);
  int count = 0;
  for (Layer layer : layers_) {
    if (!seen[layer]) ++count;
    seen[layer] = true;
  }
  return count;
}

}  // namespace polar::core

// FNV-1a over the layers, 64 bits.
std::size_t std::hash<polar::core::Program>::operator()(const polar::core::Program& program) const noexcept {
  std::uint64_t mixed = 0xCBF29CE484222325ULL;
  for (polar::core::Program::Layer layer : program.layers()) mixed = (mixed ^ layer) * 0x100000001B3ULL;
  return static_cast<std::size_t>(mixed ^ (mixed >> 32));
}
