#include "support/tiny_pool.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/script.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "core/file.h"
#include "support/tokenizer_file.h"

namespace polar::test {
namespace {

using nlohmann::json;

class Weights {
 public:
  explicit Weights(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}
  at::Tensor matrix(int rows, int columns, double gain = 1) const {
    return at::randn({rows, columns}, generator_) * (gain / std::sqrt(static_cast<double>(columns)));
  }

 private:
  at::Generator generator_;
};

/// float32 [context, h]: row p holds the cosines, then the sines of p times the inverse frequencies.
at::Tensor rope_table(const TinyPoolOptions& options) {
  const int half = options.head_size / 2;
  const at::Tensor frequencies = at::pow(10000.0, -at::arange(half, at::kFloat) / half);
  const at::Tensor angles = at::arange(options.context, at::kFloat).unsqueeze(1) * frequencies;
  return at::cat({angles.cos(), angles.sin()}, 1);
}

void save(const torch::jit::Module& module, const std::filesystem::path& file) {
  module.save(file.string());
}

/// As the exporter does: weights are parameters, tables are buffers.
void register_weight(torch::jit::Module& module, const std::string& name, const at::Tensor& weight) {
  module.register_parameter(name, weight, /*is_buffer=*/false);
}

torch::jit::Module embed_module(const at::Tensor& weight) {
  torch::jit::Module module("Embed");
  register_weight(module, "weight", weight);
  module.define(R"(
def forward(self, tokens: Tensor) -> Tensor:
    return torch.embedding(self.weight, tokens)
)");
  return module;
}

torch::jit::Module head_module(const at::Tensor& weight, int hidden) {
  torch::jit::Module module("Head");
  register_weight(module, "weight", weight);
  module.define(fmt::format(R"(
def forward(self, hidden: Tensor) -> Tensor:
    return torch.linear(torch.rms_norm(hidden, [{0}], None, 1e-5), self.weight).float()
)",
                            hidden));
  return module;
}

torch::jit::Module layer_module(const Weights& weights, const TinyPoolOptions& options) {
  torch::jit::Module module("Layer");
  const int query = options.heads * options.head_size;
  module.register_buffer("rope", rope_table(options));
  register_weight(module, "qkv", weights.matrix(query + 2 * options.kv_heads * options.head_size, options.hidden, 2));
  register_weight(module, "out", weights.matrix(options.hidden, query));
  register_weight(module, "gate_up", weights.matrix(2 * options.inner, options.hidden, 2));
  register_weight(module, "down", weights.matrix(options.hidden, options.inner));
  module.define(fmt::format(R"(
def attend_in(self, hidden: Tensor, positions: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    qkv = torch.linear(torch.rms_norm(hidden, [{d}], None, 1e-5), self.qkv).view(-1, {heads} + 2 * {kv}, {h})
    cos, sin = torch.chunk(torch.unsqueeze(torch.index_select(self.rope, 0, positions), 1), 2, -1)
    first, second = torch.chunk(qkv[:, :{turned}], 2, -1)
    qk = torch.cat((first * cos - second * sin, second * cos + first * sin), -1)
    return qk[:, :{heads}].contiguous(), qk[:, {heads}:].contiguous(), qkv[:, {turned}:].contiguous()

def attend_out(self, hidden: Tensor, attention: Tensor) -> Tensor:
    hidden = hidden + torch.linear(attention, self.out)
    gate, up = torch.chunk(torch.linear(torch.rms_norm(hidden, [{d}], None, 1e-5), self.gate_up), 2, -1)
    return hidden + torch.linear(torch.silu(gate) * up, self.down)
)",
                            fmt::arg("d", options.hidden), fmt::arg("heads", options.heads),
                            fmt::arg("kv", options.kv_heads), fmt::arg("h", options.head_size),
                            fmt::arg("turned", options.heads + options.kv_heads)));
  return module;
}

json tokenizer_description() {
  json description = tokenizer_json(smollm2_pre_tokenizer(), {});
  description["added_tokens"].push_back(added_token(256, "<|end|>", true));
  return description;
}

}  // namespace

void write_tiny_pool(const std::filesystem::path& folder, const TinyPoolOptions& options) {
  constexpr int kVocabulary = 257;
  core::ensure_folder(folder);
  const Weights weights(options.seed);
  at::Tensor vocabulary = weights.matrix(kVocabulary, options.hidden, 6);
  at::Tensor head = vocabulary.clone();
  head.narrow(0, '0', 10) *= 2.5;
  head[' '] *= 2;
  if (options.odd_logits) head['!'] *= std::nan("");
  save(embed_module(vocabulary), folder / "embed.ts");
  save(head_module(head, options.hidden), folder / "head.ts");
  json layers = json::array();
  for (int layer = 0; layer < options.depth; ++layer) {
    const std::string file = fmt::format("layer_{:03}.ts", layer);
    save(layer_module(weights, options), folder / file);
    layers.push_back({{"file", file},
                      {"attention",
                       {{"kind", "causal"},
                        {"window", nullptr},
                        {"scale", 1 / std::sqrt(static_cast<double>(options.head_size))},
                        {"softcap", nullptr}}}});
  }
  core::write_file(folder / "tokenizer.json", tokenizer_description().dump());

  json files = json::object();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename() == "pool.json") continue;
    files[entry.path().filename().string()] = {{"bytes", entry.file_size()},
                                               {"sha256", core::sha256_file(entry.path())}};
  }
  const json manifest = {
      {"format_version", 1},
      {"kind", "decoder"},
      {"model",
       {{"name", "tiny"},
        {"architecture", "llama"},
        {"source", "made by a test"},
        {"source_revision", nullptr},
        {"source_sha256", nullptr},
        {"licence", "Apache-2.0"}}},
      {"shape",
       {{"depth", options.depth},
        {"hidden", options.hidden},
        {"heads", options.heads},
        {"kv_heads", options.kv_heads},
        {"head_size", options.head_size},
        {"vocabulary", kVocabulary},
        {"context", options.context}}},
      {"dtype", "float32"},
      {"layers", layers},
      {"embed", "embed.ts"},
      {"head", "head.ts"},
      {"tokenizer", "tokenizer.json"},
      {"bos_id", nullptr},
      {"eos_ids", {256}},
      {"chat", nullptr},
      {"files", files},
      {"weights_digest", core::sha256(fmt::format("tiny {} {}", options.depth, options.seed))},
      {"exported_with", {{"exporter", 1}, {"torch", TORCH_VERSION}, {"transformers", "none"}, {"python", "none"}}}};
  write_manifest(folder, manifest);
}

void write_manifest(const std::filesystem::path& folder, json manifest) {
  const std::string zeros(64, '0');
  manifest["manifest_sha256"] = zeros;
  manifest["manifest_sha256"] = pool::manifest_seal(manifest.dump(1), zeros);
  core::write_file(folder / "pool.json", manifest.dump(1));
}

LoadedPool load_pool(const std::filesystem::path& folder, pool::DType dtype, pool::Kernels kernels,
                     const std::string& device) {
  return {pool::ModulePool::load(folder, {dtype, true, kernels, device}),
          std::make_shared<text::Tokenizer>(text::Tokenizer::load(folder / "tokenizer.json"))};
}

}  // namespace polar::test
