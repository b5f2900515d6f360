#include "pool/module_pool.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/script.h>
#include <torch/version.h>

#include "core/error.h"
#include "pool/large_pages.h"
#include "pool/null_weights.h"
#include "pool/row_gemm.h"
#include "pool/row_operators.h"

namespace polar::pool {
namespace {

at::ScalarType scalar_type(DType dtype) {
  return dtype == DType::kBFloat16 ? at::kBFloat16 : at::kFloat;
}

/// The first line of a LibTorch message: the rest is a C++ stack trace.
std::string brief(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

/// Runs a module of a file. TorchScript throws what an operator threw as a std::runtime_error, its message on the last
/// line behind a stack of its own. Throws std::bad_alloc when memory is out, on any device, else core::Error.
template <typename Run>
auto run_module(const std::filesystem::path& file, Run&& run) {
  try {
    return run();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    std::string text = error.what();
    if (const auto* torch_error = dynamic_cast<const c10::Error*>(&error)) text = brief(*torch_error);
    for (const char* sign : {"out of memory", "bad_alloc", "can't allocate memory"}) {
      if (text.find(sign) != std::string::npos) throw std::bad_alloc();
    }
    text.erase(text.find_last_not_of(" \n") + 1);
    throw core::Error(
        fmt::format("{}: expected a module that runs on packed rows, found: {}; export the pool again with "
                    "scripts/export.py",
                    file.string(), text.substr(text.rfind('\n') + 1)));
  }
}

std::vector<MatrixShape> matrices_of(const torch::jit::Module& module) {
  std::vector<MatrixShape> matrices;
  for (const at::Tensor& parameter : module.parameters()) {
    if (parameter.dim() == 2)
      matrices.push_back({static_cast<int>(parameter.size(0)), static_cast<int>(parameter.size(1))});
  }
  return matrices;
}

PackedFormat bfloat16_format(Kernels kernels) {
  if (kernels == Kernels::kTiles) return PackedFormat::kTiles;
  return kernels == Kernels::kPairs ? PackedFormat::kPairs : PackedFormat::kBFloat16;
}

torch::jit::Module load_module(const Manifest& manifest, const std::string& name, const LoadOptions& options,
                               const std::vector<std::string>& methods, LargePages& memory,
                               std::vector<MatrixShape>& matrices) {
  const std::filesystem::path file = manifest.path(name);
  try {
    torch::jit::Module module = torch::jit::load(file.string(), at::kCPU);
    for (const std::string& method : methods) {
      if (!module.find_method(method)) {
        throw core::Error(fmt::format(
            "{}: expected a module with the method {}, found none; export the pool again with scripts/export.py",
            file.string(), method));
      }
    }
    const bool is_layer = name != manifest.embed_file && name != manifest.head_file;
    if (is_layer && options.null.layers == NullLayers::kReinitialised)
      reinitialise_weights(module, name, options.null.seed);
    matrices = matrices_of(module);  // freezing makes constants of them
    module.eval();
    module.to(scalar_type(options.dtype));
    module.to(at::Device(options.device));
    torch::jit::Module frozen = torch::jit::freeze_module(module, methods);
    if (options.kernels != Kernels::kLibrary)
      use_row_operators(frozen, methods, bfloat16_format(options.kernels), memory);
    return frozen;
  } catch (const c10::OutOfMemoryError&) {
    throw core::Error(
        fmt::format("{}: out of memory on {} while loading the pool's modules; a device with more memory, or "
                    "exec.dtype: bfloat16, holds them",
                    file.string(), options.device));
  } catch (const c10::Error& error) {
    throw core::Error(fmt::format(
        "{}: expected a TorchScript module that LibTorch {} reads, found: {} (exported with torch {}); export the pool "
        "again with scripts/export.py",
        file.string(), TORCH_VERSION, brief(error), manifest.torch_version));
  }
}

void check_shape(const std::string& what, const at::Tensor& tensor, at::IntArrayRef shape, at::ScalarType type) {
  if (tensor.sizes() == shape && tensor.scalar_type() == type) return;
  std::ostringstream found;
  found << at::toString(tensor.scalar_type()) << ' ' << tensor.sizes();
  std::ostringstream expected;
  expected << at::toString(type) << ' ' << shape;
  throw core::Error(fmt::format("{}: expected {}, found {}; export the pool again with scripts/export.py", what,
                                expected.str(), found.str()));
}

bool cpu_multiplies_bfloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

}  // namespace

double row_flop(const std::vector<MatrixShape>& matrices) {
  double flop = 0;
  for (const MatrixShape& shape : matrices) flop += 2.0 * shape.outputs * shape.inputs;
  return flop;
}

DTypeChoice choose_dtype(const std::string& setting, const std::string& device) {
  if (setting == "bfloat16") return {DType::kBFloat16, "bfloat16 as configured"};
  if (setting == "float32") return {DType::kFloat32, "float32 as configured"};
  if (setting != "auto") {
    throw core::UsageError(fmt::format("exec.dtype: expected auto, bfloat16 or float32, found '{}'", setting));
  }
  if (device != "cpu") return {DType::kBFloat16, fmt::format("bfloat16: layers run on {}", device)};
  // Every processor with AMX has AVX512-BF16 too.
  if (cpu_multiplies_bfloat16()) return {DType::kBFloat16, "bfloat16: this processor has AVX512-BF16"};
  return {DType::kFloat32, "float32: this processor has neither AVX512-BF16 nor AMX"};
}

const char* to_string(Kernels kernels) {
  switch (kernels) {
    case Kernels::kLibrary:
      return "library";
    case Kernels::kRows:
      return "rows";
    case Kernels::kPairs:
      return "pairs";
    case Kernels::kTiles:
      return "tiles";
  }
  return "unknown";
}

Kernels choose_kernels(const std::string& setting, DType dtype, const std::string& device) {
  if (device != "cpu" && (setting == "auto" || setting == "library")) return Kernels::kLibrary;
  if (device != "cpu") {
    throw core::UsageError(
        fmt::format("exec.kernels: expected auto or library on {} (polar's own run on the processor), found '{}'",
                    device, setting));
  }
  const bool bfloat16 = dtype == DType::kBFloat16, tiles = bfloat16 && has_tiles(), pairs = bfloat16 && has_pairs();
  const auto require = [&](bool available, Kernels kernels, const char* feature) {
    if (available) return kernels;
    throw core::UsageError(fmt::format("exec.kernels: '{}' needs bfloat16 and a processor with {}; found {} on {}",
                                       setting, feature, to_string(dtype),
                                       bfloat16 ? "one without" : "this one; take exec.dtype: bfloat16 or auto"));
  };
  if (setting == "library") return Kernels::kLibrary;
  if (setting == "rows") return Kernels::kRows;
  if (setting == "pairs") return require(pairs, Kernels::kPairs, "AVX512-BF16");
  if (setting == "tiles") return require(tiles, Kernels::kTiles, "AMX");
  if (setting != "auto") {
    throw core::UsageError(
        fmt::format("exec.kernels: expected auto, library, rows, pairs or tiles, found '{}'", setting));
  }
  if (tiles) return Kernels::kTiles;
  if (pairs && has_fast_bfloat16()) return Kernels::kPairs;
  return has_row_kernels() ? Kernels::kRows : Kernels::kLibrary;
}

void prepare_thread() {
  at::set_num_threads(1);
  torch::jit::setGraphExecutorOptimize(false);
}

OneIntraOpThread::OneIntraOpThread() : before_(at::get_num_threads()) {
  at::set_num_threads(1);
}

OneIntraOpThread::~OneIntraOpThread() {
  at::set_num_threads(before_);
}

struct ModulePool::Modules {
  Manifest manifest;
  DType dtype = DType::kFloat32;
  Kernels kernels = Kernels::kLibrary;
  std::string device_name = "cpu";
  at::Device device{at::kCPU};
  std::vector<MatrixShape> layer_matrices, head_matrices;
  // Calling a method does not change a frozen module, though LibTorch's signatures are not const.
  mutable torch::jit::Module embed, head;
  mutable std::vector<torch::jit::Module> layers;

  std::filesystem::path layer_file(int layer) const {
    return manifest.path(manifest.layer_files[static_cast<std::size_t>(layer)]);
  }
};

ModulePool::ModulePool(std::unique_ptr<Modules> modules) : modules_(std::move(modules)) {}
ModulePool::~ModulePool() = default;

std::shared_ptr<const ModulePool> ModulePool::load(const std::filesystem::path& folder, const LoadOptions& options) {
  auto modules = std::make_unique<Modules>();
  // 1. What the package says, and whether its files are what was written.
  modules->manifest = null_manifest(read_manifest(folder), options.null);
  modules->dtype = options.dtype;
  modules->kernels = options.kernels;
  modules->device_name = options.device;
  modules->device = at::Device(options.device);
  if (options.device != "cpu") choose_kernels(to_string(options.kernels), options.dtype, options.device);
  const Manifest& manifest = modules->manifest;
  if (options.verify) verify_files(manifest);

  // 2. Load, cast, move, freeze. Profiling executors would recompile at every new row count.
  torch::jit::setGraphExecutorOptimize(false);
  c10::InferenceMode inference;
  LargePages memory;
  std::vector<MatrixShape> matrices;
  modules->embed = load_module(manifest, manifest.embed_file, options, {"forward"}, memory, matrices);
  modules->head = load_module(manifest, manifest.head_file, options, {"forward"}, memory, modules->head_matrices);
  for (const std::string& file : manifest.layer_files) {
    modules->layers.push_back(load_module(manifest, file, options, {"attend_in", "attend_out"}, memory, matrices));
    if (modules->layers.size() == 1) modules->layer_matrices = matrices;
  }

  // 3. A probe run checks every module's shapes.
  std::shared_ptr<const ModulePool> pool(new ModulePool(std::move(modules)));
  const at::ScalarType type = scalar_type(options.dtype);
  constexpr int kRows = 2;
  const at::Tensor positions = at::arange(kRows, at::kLong);
  std::string file = manifest.embed_file;
  try {
    at::Tensor hidden = pool->embed(at::zeros({kRows}, at::kLong));
    check_shape(manifest.path(file).string(), hidden, {kRows, manifest.hidden}, type);
    for (int layer = 0; layer < manifest.depth; ++layer) {
      file = manifest.layer_files[static_cast<std::size_t>(layer)];
      const std::string where = manifest.path(file).string();
      auto [q, k, v] = pool->attend_in(layer, hidden, positions);
      check_shape(where + ": attend_in: q", q, {kRows, manifest.heads, manifest.head_size}, type);
      check_shape(where + ": attend_in: k", k, {kRows, manifest.kv_heads, manifest.head_size}, type);
      check_shape(where + ": attend_in: v", v, {kRows, manifest.kv_heads, manifest.head_size}, type);
      const at::Tensor out = pool->attend_out(layer, hidden, q.reshape({kRows, -1}));
      check_shape(where + ": attend_out", out, {kRows, manifest.hidden}, type);
    }
    file = manifest.head_file;
    check_shape(manifest.path(file).string(), pool->head(hidden), {kRows, manifest.vocabulary}, at::kFloat);
  } catch (const c10::Error& error) {
    throw core::Error(fmt::format(
        "{}: expected a module that runs on [{}, {}] rows, found: {}; export the pool again with scripts/export.py",
        manifest.path(file).string(), kRows, manifest.hidden, brief(error)));
  }
  return pool;
}

const Manifest& ModulePool::manifest() const {
  return modules_->manifest;
}
DType ModulePool::dtype() const {
  return modules_->dtype;
}
Kernels ModulePool::kernels() const {
  return modules_->kernels;
}

const std::string& ModulePool::device() const {
  return modules_->device_name;
}

const std::vector<MatrixShape>& ModulePool::layer_matrices() const {
  return modules_->layer_matrices;
}
const std::vector<MatrixShape>& ModulePool::head_matrices() const {
  return modules_->head_matrices;
}

at::Tensor ModulePool::embed(const at::Tensor& tokens) const {
  return run_module(modules_->manifest.path(modules_->manifest.embed_file),
                    [&] { return modules_->embed.forward({tokens.to(modules_->device)}).toTensor(); });
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> ModulePool::attend_in(int layer, const at::Tensor& hidden,
                                                                     const at::Tensor& positions) const {
  auto& module = modules_->layers[static_cast<std::size_t>(layer)];
  const auto parts = run_module(modules_->layer_file(layer), [&] {
    return module.get_method("attend_in")({hidden, positions.to(modules_->device)}).toTuple();
  });
  const auto& elements = parts->elements();
  return {elements.at(0).toTensor(), elements.at(1).toTensor(), elements.at(2).toTensor()};
}

at::Tensor ModulePool::attend_out(int layer, const at::Tensor& hidden, const at::Tensor& attention) const {
  auto& module = modules_->layers[static_cast<std::size_t>(layer)];
  return run_module(modules_->layer_file(layer),
                    [&] { return module.get_method("attend_out")({hidden, attention}).toTensor(); });
}

at::Tensor ModulePool::head(const at::Tensor& hidden) const {
  return run_module(modules_->manifest.path(modules_->manifest.head_file),
                    [&] { return modules_->head.forward({hidden}).toTensor(); });
}

}  // namespace polar::pool
