#include "pool/row_gemm.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "core/simd.h"
#include "pool/gemm_call.h"
#include "pool/thread_team.h"

namespace polar::pool {
namespace {

using simd::BFloat16Bits;
using simd::kLanes;

/// Rows whose float32 form and outputs stay in the L2 cache while all panels pass.
constexpr int kChunkRows = 264;
/// Rows of several whole tiles of the widest kernel.
constexpr int kWholeRows = 12;
/// The same in bytes where rows stay bfloat16: the more rows, the less often all weights pass. Processors with tiles
/// have an L2 cache of 2 MiB, the others may have half of it.
constexpr int kTileChunkBytes = 800 << 10, kPairChunkBytes = 400 << 10;
/// From here on a bfloat16 panel is widened once instead of in every tile.
constexpr int kWidenRows = 24;

/// A scratch array that grows and is kept for the next call of its thread.
class Scratch {
 public:
  template <typename Value>
  Value* array(std::size_t count) {
    const std::size_t bytes = (count * sizeof(Value) + 63) / 64 * 64;
    if (bytes > capacity_) {
      data_.reset(static_cast<std::byte*>(std::aligned_alloc(64, bytes)));
      if (!data_) throw std::bad_alloc();
      capacity_ = bytes;
    }
    return reinterpret_cast<Value*>(data_.get());
  }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t capacity_ = 0;
};

}  // namespace
}  // namespace polar::pool

#define POLAR_KERNEL_FILE "pool/row_gemm.inc"  // includes gemm_epilogue.inc
#include "core/foreach_target.h"

namespace polar::pool {
namespace {

/// Gives a chunk the calling thread's scratch.
void lend_scratch(GemmCall& call) {
  thread_local Scratch row_scratch, panel_scratch;
  const auto inputs = static_cast<std::size_t>(call.weight.inputs);
  const auto rows = static_cast<std::size_t>(call.row_count);
  if (call.weight.format == PackedFormat::kPairs) {
    if (inputs % 2 != 0) call.half_rows = row_scratch.array<BFloat16Bits>(rows * (inputs + 1));
    return;
  }
  if (call.weight.format == PackedFormat::kTiles) {
    const std::size_t tile_rows = (rows + kTileSize - 1) / kTileSize * kTileSize;
    call.half_rows =
        row_scratch.array<BFloat16Bits>(tile_rows * static_cast<std::size_t>(tile_inputs(call.weight.inputs)));
    call.tile_sums = panel_scratch.array<float>(2 * tile_rows * kPanelColumns);
    return;
  }
  if (call.bfloat16_rows) call.wide_rows = row_scratch.array<float>(rows * inputs);
  if (call.weight.format == PackedFormat::kBFloat16 && call.row_count >= kWidenRows)
    call.wide_panel = panel_scratch.array<float>(inputs * kPanelColumns);
}

/// Every chunk of the call's rows.
void run_chunks(const GemmCall& all) {
  static const auto run_chunk = POLAR_BEST_TARGET(run_chunk);
  const std::size_t element = all.bfloat16_rows ? sizeof(BFloat16Bits) : sizeof(float);
  const auto inputs = static_cast<std::size_t>(all.weight.inputs);
  const auto width = static_cast<std::size_t>(all.gated ? all.weight.outputs / 2 : all.weight.outputs);
  const auto after = [&](const void* start, std::size_t elements) {
    return start == nullptr ? nullptr : static_cast<const std::byte*>(start) + elements * element;
  };
  const bool tiles = all.weight.format == PackedFormat::kTiles, pairs = all.weight.format == PackedFormat::kPairs;
  const int whole = tiles ? 2 * kTileSize : kWholeRows;
  const int chunk_bytes = tiles ? kTileChunkBytes : kPairChunkBytes;
  const int most =
      tiles || pairs ? std::max(whole, chunk_bytes / static_cast<int>(inputs * element) / whole * whole) : kChunkRows;
  const auto run_one = tiles ? run_tiles : pairs ? run_pairs : run_chunk;
  const int chunks = std::max(1, (all.row_count + most - 1) / most), alike = (all.row_count + chunks - 1) / chunks;
  const int chunk_rows = chunks == 1 ? all.row_count : (alike + whole - 1) / whole * whole;
  for (int first = 0; first < all.row_count; first += chunk_rows) {
    const auto start = static_cast<std::size_t>(first);
    GemmCall call = all;
    call.rows = after(all.rows, start * inputs);
    call.row_count = std::min(chunk_rows, all.row_count - first);
    call.epilogue.residual = after(all.epilogue.residual, start * width);
    call.epilogue.out = static_cast<std::byte*>(all.epilogue.out) + start * width * element;
    lend_scratch(call);
    run_one(call);
  }
}

void run(const void* rows, bool bfloat16_rows, int row_count, const PackedMatrix& weight, bool gated,
         const Epilogue& epilogue) {
  const int panels = panel_count(weight.outputs);
  GemmCall call;
  call.rows = rows;
  call.row_count = row_count;
  call.weight = weight;
  call.end_panel = panels;
  call.gated = gated;
  call.bfloat16_rows = bfloat16_rows;
  call.epilogue = epilogue;
  ThreadTeam* team = thread_team();
  if (team == nullptr || row_count == 0) return run_chunks(call);
  team->run([&](int part) {
    GemmCall share = call;
    share.first_panel = panels * part / team->size();
    share.end_panel = panels * (part + 1) / team->size();
    run_chunks(share);
  });
}

}  // namespace

template <typename Element>
void pack(const Element* weight, int outputs, int inputs, bool gated, PackedFormat format, Element* panels) {
  std::fill(panels, panels + packed_elements(outputs, inputs, format), Element{});
  for (int output = 0; output < outputs; ++output) {
    int column = output;
    if (gated) {
      const int half = outputs / 2, of_half = output % half;
      column = of_half / kLanes * kPanelColumns + (output < half ? 0 : kLanes) + of_half % kLanes;
    }
    Element* panel = panels + static_cast<std::size_t>(column / kPanelColumns) * panel_elements(inputs, format);
    column %= kPanelColumns;
    const Element* from = weight + static_cast<std::size_t>(output) * static_cast<std::size_t>(inputs);
    for (int k = 0; k < inputs; ++k) {
      const std::size_t at = format == PackedFormat::kTiles   ? tile_element(column, k)
                             : format == PackedFormat::kPairs ? pair_element(column, k)
                                                              : static_cast<std::size_t>(k * kPanelColumns + column);
      panel[at] = from[k];
    }
  }
}
template void pack<float>(const float*, int, int, bool, PackedFormat, float*);
template void pack<BFloat16Bits>(const BFloat16Bits*, int, int, bool, PackedFormat, BFloat16Bits*);

void multiply(const void* rows, bool bfloat16_rows, int row_count, const PackedMatrix& weight,
              const Epilogue& epilogue) {
  run(rows, bfloat16_rows, row_count, weight, false, epilogue);
}

void multiply_gated(const void* rows, bool bfloat16_rows, int row_count, const PackedMatrix& weight, void* out) {
  run(rows, bfloat16_rows, row_count, weight, true, {nullptr, nullptr, out});
}

bool has_row_kernels() {
  return simd::best_target() != simd::Target::kPlain;
}

bool has_fast_bfloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_is("intel");
#else
  return false;
#endif
}

}  // namespace polar::pool
