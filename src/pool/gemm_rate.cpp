#include "pool/gemm_rate.h"

#include <torch/torch.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <thread>

#include "core/simd.h"
#include "pool/large_pages.h"
#include "pool/row_gemm.h"

namespace polar::pool {
namespace {

/// Copies of every matrix, so that none is still cached when its turn comes again.
constexpr int kCopies = 6;

using Product = std::function<void()>;

/// Rows of every width that the matrices read or write: in a layer, too, they come from a step just before.
std::map<int, at::Tensor> rows_by_width(const std::vector<MatrixShape>& matrices, int MatrixShape::* width,
                                        at::ScalarType type, int rows) {
  std::map<int, at::Tensor> tensors;
  for (const MatrixShape& shape : matrices) tensors.try_emplace(shape.*width, at::randn({rows, shape.*width}).to(type));
  return tensors;
}

std::vector<Product> library_products(const std::vector<MatrixShape>& matrices, at::ScalarType type,
                                      const GemmTrial& trial) {
  const at::Device device(trial.device);
  const auto inputs = rows_by_width(matrices, &MatrixShape::inputs, type, trial.rows);
  std::vector<Product> products;
  for (int copy = 0; copy < kCopies; ++copy) {
    for (const MatrixShape& shape : matrices) {
      const at::Tensor weight = at::randn({shape.outputs, shape.inputs}).to(device, type);
      const at::Tensor input = inputs.at(shape.inputs).to(device);
      products.emplace_back([weight, input] { at::linear(input, weight); });
    }
  }
  if (device.is_cuda()) products.emplace_back([device] { torch::cuda::synchronize(device.index()); });
  return products;
}

template <typename Element>
Product row_product(const MatrixShape& shape, PackedFormat format, const at::Tensor& input, const at::Tensor& output,
                    LargePages& memory) {
  const at::Tensor weight = at::randn({shape.outputs, shape.inputs}).to(input.scalar_type());
  const std::size_t elements = packed_elements(shape.outputs, shape.inputs, format);
  const std::shared_ptr<std::byte> packed = memory.allocate(elements * sizeof(Element));
  pack(static_cast<const Element*>(weight.data_ptr()), shape.outputs, shape.inputs, false, format,
       reinterpret_cast<Element*>(packed.get()));
  return [=] {
    multiply(input.data_ptr(), sizeof(Element) == 2, static_cast<int>(input.size(0)),
             {packed.get(), format, shape.inputs, shape.outputs}, {nullptr, nullptr, output.data_ptr()});
  };
}

std::vector<Product> row_products(const std::vector<MatrixShape>& matrices, PackedFormat format, int rows) {
  const auto type = format == PackedFormat::kFloat32 ? at::kFloat : at::kBFloat16;
  LargePages memory;
  const auto inputs = rows_by_width(matrices, &MatrixShape::inputs, type, rows);
  const auto outputs = rows_by_width(matrices, &MatrixShape::outputs, type, rows);
  std::vector<Product> products;
  for (int copy = 0; copy < kCopies; ++copy) {
    for (const MatrixShape& shape : matrices) {
      const at::Tensor& input = inputs.at(shape.inputs);
      const at::Tensor& output = outputs.at(shape.outputs);
      products.push_back(format == PackedFormat::kFloat32
                             ? row_product<float>(shape, format, input, output, memory)
                             : row_product<simd::BFloat16Bits>(shape, format, input, output, memory));
    }
  }
  return products;
}

/// Rounds through all products per second, all threads together.
double rounds_per_s(const std::function<std::vector<Product>()>& make, int threads, double seconds) {
  std::atomic<int> ready{0};
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::future<void>> workers;
  for (double& rate : rates) {
    workers.push_back(std::async(std::launch::async, [&] {
      prepare_thread();
      c10::InferenceMode inference;
      std::vector<Product> products;
      try {
        products = make();
        for (const Product& product : products) product();
      } catch (...) {
        ++ready;  // the others must not wait for this one
        throw;
      }
      for (++ready; ready < threads;) std::this_thread::yield();
      const auto start = std::chrono::steady_clock::now();
      double elapsed = 0;
      int rounds = 0;
      while (elapsed < seconds) {
        for (const Product& product : products) product();
        ++rounds;
        elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      }
      rate = rounds / elapsed;
    }));
  }
  for (std::future<void>& worker : workers) worker.wait();
  for (std::future<void>& worker : workers) worker.get();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

}  // namespace

GemmRate measure_gemm_rate(const std::vector<MatrixShape>& matrices, const GemmTrial& trial) {
  const double round_flop = kCopies * trial.rows * row_flop(matrices);
  const bool bfloat16 = trial.dtype == DType::kBFloat16, on_cpu = trial.device == "cpu";
  GemmRate best;
  const auto attempt = [&](const std::string& way, const std::function<std::vector<Product>()>& make) {
    const double rate = rounds_per_s(make, trial.threads, trial.seconds) * round_flop;
    if (rate > best.flop_per_s) best = {rate, way};
  };
  attempt("LibTorch float32", [&] { return library_products(matrices, at::kFloat, trial); });
  if (bfloat16) attempt("LibTorch bfloat16", [&] { return library_products(matrices, at::kBFloat16, trial); });
  if (on_cpu && has_row_kernels()) {
    const PackedFormat format = bfloat16 ? PackedFormat::kBFloat16 : PackedFormat::kFloat32;
    attempt("row kernels", [&] { return row_products(matrices, format, trial.rows); });
  }
  if (on_cpu && bfloat16 && has_pairs())
    attempt("pair kernels", [&] { return row_products(matrices, PackedFormat::kPairs, trial.rows); });
  if (on_cpu && bfloat16 && has_tiles())
    attempt("tile kernels", [&] { return row_products(matrices, PackedFormat::kTiles, trial.rows); });
  return best;
}

}  // namespace polar::pool
