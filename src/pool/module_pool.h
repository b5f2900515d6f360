#pragma once
// ModulePool: the frozen modules of one model, loaded once and shared by every worker.

#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "pool/manifest.h"
#include "pool/null_layers.h"

namespace at {
class Tensor;
}

namespace polar::pool {

/// `auto` takes bfloat16 only where the device (pool/device.h) multiplies it natively (AVX512-BF16, AMX or a GPU).
struct DTypeChoice {
  DType dtype;
  std::string reason;  ///< one line for the log
};
/// "auto" | "bfloat16" | "float32"; throws core::UsageError.
DTypeChoice choose_dtype(const std::string& setting, const std::string& device = "cpu");

/// What multiplies rows with weights.
enum class Kernels {
  kLibrary,  ///< LibTorch
  kRows,     ///< ours (row_gemm.h): packed weights, fused steps, bits that do not depend on the number of rows
  kPairs,    ///< the same with bfloat16 products by the processor's instruction for pairs (AVX512-BF16)
  kTiles,    ///< the same with bfloat16 products on the processor's tiles (AMX)
};
const char* to_string(Kernels kernels);  ///< "library" | "rows" | "pairs" | "tiles"

/// `auto` takes tiles where there are any, else pairs where the processor multiplies them faster than float32
/// (AVX512-BF16 other than Intel's), else rows, except where the compiler's plain vectors are all there is.
/// On a device other than the CPU there is the library alone.
/// "auto" | "library" | "rows" | "pairs" | "tiles"; throws core::UsageError, also where this machine, dtype or device
/// has no such kernels.
Kernels choose_kernels(const std::string& setting, DType dtype, const std::string& device = "cpu");

/// A weight matrix [outputs, inputs]: 2 · outputs · inputs operations a row.
struct MatrixShape {
  int outputs = 0, inputs = 0;
};
double row_flop(const std::vector<MatrixShape>& matrices);

struct LoadOptions {
  DType dtype = DType::kFloat32;  ///< weights and activations are cast to it
  bool verify = true;             ///< check the SHA-256 of every file
  Kernels kernels = Kernels::kLibrary;
  std::string device = "cpu";  ///< as pool::choose_device returns it; modules are cast, moved, then frozen
  NullOptions null = {};       ///< a null model in place of the pool: for controls only
};

/// Call once in every thread that runs modules: one intra-op thread, and no recompilation at each new row count.
void prepare_thread();

/// The calling thread has one intra-op thread while this lives, then as many as before. For small products between
/// others' work: LibTorch's helpers spin for milliseconds after a product, on cores that the workers need.
class OneIntraOpThread {
 public:
  OneIntraOpThread();
  ~OneIntraOpThread();
  OneIntraOpThread(const OneIntraOpThread&) = delete;
  OneIntraOpThread& operator=(const OneIntraOpThread&) = delete;

 private:
  int before_;
};

/// Rows are packed: a row is one position of one sequence; N rows of any sequences, no padding, results are row-wise.
/// All calls are const and thread-safe (the modules have no mutable state) under c10::InferenceMode of the calling
/// thread. They throw std::bad_alloc when memory is out, and core::Error naming the file of a module that fails.
/// Tensors are on device(), contiguous; `hidden` is [N, d] of dtype(). Tokens and positions (int64 [N],
/// 0-based) may be on the CPU, from where they are moved.
class ModulePool {
 public:
  /// Reads the manifest, verifies the files, loads, casts and freezes every module and checks shapes by a probe run.
  /// Throws core::Error naming file, expected, found, remedy.
  static std::shared_ptr<const ModulePool> load(const std::filesystem::path& folder, const LoadOptions& options);
  ~ModulePool();

  const Manifest& manifest() const;  ///< of the null model, where one was asked for
  DType dtype() const;
  Kernels kernels() const;
  const std::string& device() const;  ///< "cpu" or "cuda:N"
  /// What a row is multiplied with in layer 0, and in the output head.
  const std::vector<MatrixShape>& layer_matrices() const;
  const std::vector<MatrixShape>& head_matrices() const;

  at::Tensor embed(const at::Tensor& tokens) const;  ///< int64 [N] → hidden [N, d]
  /// → q [N, H, h], k [N, Hkv, h], v [N, Hkv, h], position encoding applied.
  std::tuple<at::Tensor, at::Tensor, at::Tensor> attend_in(int layer, const at::Tensor& hidden,
                                                           const at::Tensor& positions) const;
  /// hidden [N, d], attention [N, H·h] → hidden [N, d].
  at::Tensor attend_out(int layer, const at::Tensor& hidden, const at::Tensor& attention) const;
  at::Tensor head(const at::Tensor& hidden) const;  ///< → logits float32 [N, V], final norm included

 private:
  struct Modules;
  explicit ModulePool(std::unique_ptr<Modules> modules);
  std::unique_ptr<Modules> modules_;
};

}  // namespace polar::pool
