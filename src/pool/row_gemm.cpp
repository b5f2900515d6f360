#include "pool/row_gemm.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "core/simd.h"
#include "pool/thread_team.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace polar::pool {
namespace {

using simd::BFloat16Bits;
using simd::kLanes;

constexpr int kVectors = kPanelColumns / kLanes;
static_assert(kVectors == 2, "the gated epilogue takes one vector of gates and one of ups");

/// Rows whose float32 form and outputs stay in the L2 cache while all panels pass.
constexpr int kChunkRows = 240;
/// From here on a bfloat16 panel is widened once instead of in every tile.
constexpr int kWidenRows = 24;

/// A scratch array that grows and is kept for the next call of its thread.
class Scratch {
 public:
  float* floats(std::size_t count) {
    if (count > capacity_) {
      data_.reset(static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64)));
      if (!data_) throw std::bad_alloc();
      capacity_ = count;
    }
    return data_.get();
  }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
  std::size_t capacity_ = 0;
};

/// One chunk of rows against a range of panels; plain data, so that every target's copy has the same signature.
struct Call {
  const void* rows;  ///< [row_count, inputs]
  int row_count;
  PackedMatrix weight;
  int first_panel, end_panel;
  bool gated;
  bool bfloat16_rows;  ///< element type of rows and epilogue
  Epilogue epilogue;   ///< residual and out of this chunk
  float* wide_rows;    ///< scratch for bfloat16 rows
  float* wide_panel;   ///< scratch for one panel; nullptr: tiles widen
};

}  // namespace
}  // namespace polar::pool

#define POLAR_KERNEL_FILE "pool/row_gemm.inc"
#include "core/foreach_target.h"

namespace polar::pool {
namespace {

/// Every chunk of the call's rows, each with scratch of the calling thread.
void run_chunks(const Call& all) {
  static const auto run_chunk = POLAR_BEST_TARGET(run_chunk);
  thread_local Scratch row_scratch, panel_scratch;
  const std::size_t element = all.bfloat16_rows ? sizeof(BFloat16Bits) : sizeof(float);
  const auto inputs = static_cast<std::size_t>(all.weight.inputs);
  const auto width = static_cast<std::size_t>(all.gated ? all.weight.outputs / 2 : all.weight.outputs);
  const auto after = [&](const void* start, std::size_t elements) {
    return start == nullptr ? nullptr : static_cast<const std::byte*>(start) + elements * element;
  };
  const int chunks = (all.row_count + kChunkRows - 1) / kChunkRows;
  const int chunk_rows = chunks <= 1 ? all.row_count : (all.row_count / chunks + 11) / 12 * 12;  // alike, whole tiles
  for (int first = 0; first < all.row_count; first += chunk_rows) {
    const auto start = static_cast<std::size_t>(first);
    Call call = all;
    call.rows = after(all.rows, start * inputs);
    call.row_count = std::min(chunk_rows, all.row_count - first);
    if (all.bfloat16_rows) call.wide_rows = row_scratch.floats(static_cast<std::size_t>(chunk_rows) * inputs);
    call.epilogue.residual = after(all.epilogue.residual, start * width);
    call.epilogue.out = static_cast<std::byte*>(all.epilogue.out) + start * width * element;
    if (all.weight.bfloat16 && call.row_count >= kWidenRows)
      call.wide_panel = panel_scratch.floats(inputs * kPanelColumns);
    run_chunk(call);
  }
}

void run(const void* rows, bool bfloat16_rows, int row_count, const PackedMatrix& weight, bool gated,
         const Epilogue& epilogue) {
  const int panels = panel_count(weight.outputs);
  const Call call{rows, row_count, weight, 0, panels, gated, bfloat16_rows, epilogue, nullptr, nullptr};
  ThreadTeam* team = thread_team();
  if (team == nullptr || row_count == 0) return run_chunks(call);
  team->run([&](int part) {
    Call share = call;
    share.first_panel = panels * part / team->size();
    share.end_panel = panels * (part + 1) / team->size();
    run_chunks(share);
  });
}

}  // namespace

template <typename Element>
void pack(const Element* weight, int outputs, int inputs, bool gated, Element* panels) {
  std::fill(panels, panels + packed_elements(outputs, inputs), Element{});
  for (int output = 0; output < outputs; ++output) {
    int column = output;
    if (gated) {
      const int half = outputs / 2, of_half = output % half;
      column = of_half / kLanes * kPanelColumns + (output < half ? 0 : kLanes) + of_half % kLanes;
    }
    Element* to =
        panels + static_cast<std::size_t>(column / kPanelColumns * inputs) * kPanelColumns + column % kPanelColumns;
    const Element* from = weight + static_cast<std::size_t>(output) * static_cast<std::size_t>(inputs);
    for (int k = 0; k < inputs; ++k) to[static_cast<std::size_t>(k) * kPanelColumns] = from[k];
  }
}
template void pack<float>(const float*, int, int, bool, float*);
template void pack<BFloat16Bits>(const BFloat16Bits*, int, int, bool, BFloat16Bits*);

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
  constexpr unsigned kAmxBFloat16 = 1U << 22;  // leaf 7, EDX
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kAmxBFloat16) != 0) return true;
  return __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_is("intel");
#else
  return false;
#endif
}

}  // namespace polar::pool
