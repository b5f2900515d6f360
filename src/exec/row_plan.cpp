#include "exec/row_plan.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>

namespace polar::exec {
namespace {

using RowFunction = std::function<at::Tensor(const at::Tensor& rows)>;

/// Whether every chunk of `size` rows gets the bits it has within the full call. Every row is tried: some kernels agree
/// on most inputs and differ in the last bit on a few. `thorough` = false looks at the first and last chunk only.
bool same_bits(const RowFunction& run, const at::Tensor& rows, const at::Tensor& expected, int size, bool thorough) {
  const auto count = static_cast<int>(rows.size(0));
  for (int start = 0; start + size <= count; start += thorough ? size : std::max(size, count - size - start)) {
    const at::Tensor chunk = rows.narrow(0, start, size).clone();
    if (!at::equal(run(chunk), expected.narrow(0, start, size))) return false;
  }
  return true;
}

RowClasses probe(const RowFunction& run, const pool::ModulePool& pool, int full) {
  // With row kernels every count gives the same bits by construction; the probe looks at counts of every remainder.
  const bool rows_alike = pool.kernels() != pool::Kernels::kLibrary;
  std::vector<int> sizes = {1, 2, 3, 7, 12, 25, 100};
  if (!rows_alike) {
    // Calls are large on a device, and few sizes are enough: a short one costs little more than its start.
    const bool doubling = pool.device() != "cpu";
    sizes = {8, 16};
    for (int size = 32; size < full; size += doubling ? size : 32) sizes.push_back(size);
  }
  std::erase_if(sizes, [full](int size) { return size >= full; });
  const std::size_t tried = sizes.size();
  auto generator = at::detail::createCPUGenerator(/*seed=*/20260606);
  const auto type = pool.dtype() == pool::DType::kBFloat16 ? at::kBFloat16 : at::kFloat;
  for (const double spread : rows_alike ? std::vector{1.0} : std::vector{0.05, 1.0, 8.0}) {
    const at::Tensor rows =
        (at::randn({full, pool.manifest().hidden}, generator) * spread).to(at::Device(pool.device()), type);
    const at::Tensor expected = run(rows);
    std::erase_if(sizes, [&](int size) { return !same_bits(run, rows, expected, size, !rows_alike); });
  }
  const bool any = rows_alike && sizes.size() == tried;
  std::ranges::sort(sizes);
  sizes.push_back(full);
  return {full, std::move(sizes), any};
}

}  // namespace

std::vector<int> RowClasses::cut(int rows) const {
  std::vector<int> calls(static_cast<std::size_t>(rows / full), full);
  const int rest = rows % full;
  if (any && rest > 0) {
    calls.push_back(rest);
  } else if (rest > 0) {
    calls.push_back(*std::lower_bound(sizes.begin(), sizes.end(), rest));
  }
  return calls;
}

RowPlan probe_rows(const pool::ModulePool& pool, int layer_rows, int head_rows, bool invariant) {
  c10::InferenceMode inference;
  const RowFunction layer = [&](const at::Tensor& rows) {
    const at::Tensor positions = at::zeros({rows.size(0)}, at::kLong);
    auto [q, k, v] = pool.attend_in(0, rows, positions);
    const at::Tensor out = pool.attend_out(0, rows, q.reshape({rows.size(0), -1}));
    return at::cat({out, q.reshape({rows.size(0), -1}), k.reshape({rows.size(0), -1}), v.reshape({rows.size(0), -1})},
                   1);
  };
  const RowFunction head = [&](const at::Tensor& rows) { return pool.head(rows); };
  if (!invariant) return {{layer_rows, {layer_rows}, false}, {head_rows, {head_rows}, false}, false};
  return {probe(layer, pool, layer_rows), probe(head, pool, head_rows), true};
}

}  // namespace polar::exec
