#pragma once
// Products of bfloat16 rows with packed panels on the tile unit of recent Intel processors (AMX).
//
// Every sum goes over the input columns in one order that the instruction fixes, 32 at a time, in float32, and no row
// sees another: a row's bits do not depend on the number of rows in the call (Intel, Architecture Instruction Set
// Extensions, TDPBF16PS).

#include <cstddef>

namespace polar::pool {

struct GemmCall;

constexpr int kTileSize = 16;    ///< rows of a tile, and columns of sums
constexpr int kTileInputs = 32;  ///< bfloat16 input columns of a tile

/// Whether this processor has tiles for bfloat16 and the system lets this process use them.
bool has_tiles();

/// Input columns of a packed panel: a multiple of kTileInputs, the rest zero.
constexpr int tile_inputs(int inputs) {
  return (inputs + kTileInputs - 1) / kTileInputs * kTileInputs;
}

/// Where a panel holds weight (output column, input column): [inputs / 32][2 tiles][16 pairs][16 columns][2].
constexpr std::size_t tile_element(int column, int input) {
  const int step = input / kTileInputs, pair = input % kTileInputs / 2;
  return static_cast<std::size_t>(((step * 2 + column / kTileSize) * kTileSize + pair) * kTileSize * 2 +
                                  column % kTileSize * 2 + input % 2);
}

/// The call's rows, bfloat16, times its panels, of PackedFormat::kTiles. Needs has_tiles(). Thread-safe.
void run_tiles(const GemmCall& call);

}  // namespace polar::pool
