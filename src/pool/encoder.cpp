#include "pool/encoder.h"

#include <fmt/format.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/script.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "pool/manifest.h"
#include "pool/module_pool.h"

namespace polar::pool {
namespace {

constexpr int kEncoderFormat = 1;
constexpr const char* kEncoderAgain = "export it again with scripts/export_encoder.py";

/// The first line: the rest is a stack trace.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

struct Encoder::State {
  std::filesystem::path folder;
  std::string name, digest;
  int width = 0, context = 0;
  torch::jit::Module module;
};

Encoder::Encoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

const std::string& Encoder::name() const {
  return state_->name;
}
const std::string& Encoder::digest() const {
  return state_->digest;
}
int Encoder::width() const {
  return state_->width;
}
int Encoder::context() const {
  return state_->context;
}
std::filesystem::path Encoder::tokenizer_file() const {
  return state_->folder / "tokenizer.json";
}

Encoder Encoder::load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "encoder.json";
  if (!std::filesystem::is_regular_file(file)) {
    throw core::Error(fmt::format("{}: expected an encoder package, found none; scripts/export_encoder.py writes one",
                                  file.string()));
  }
  auto state = std::make_unique<State>();
  state->folder = folder;
  Manifest listed;  // for its check of files
  listed.folder = folder;
  try {
    const nlohmann::json json = nlohmann::json::parse(core::read_file(file));
    if (const int format = json.at("format_version").get<int>(); format != kEncoderFormat) {
      throw core::Error(fmt::format("{}: format_version: expected {}, found {}; {}", file.string(), kEncoderFormat,
                                    format, kEncoderAgain));
    }
    json.at("name").get_to(state->name);
    json.at("digest").get_to(state->digest);
    json.at("width").get_to(state->width);
    json.at("context").get_to(state->context);
    for (const auto& [name, entry] : json.at("files").items())
      listed.files[name] = {entry.at("bytes").get<std::uintmax_t>(), entry.at("sha256").get<std::string>()};
  } catch (const nlohmann::json::exception& error) {
    throw core::Error(
        fmt::format("{}: expected an encoder's manifest, found: {}; {}", file.string(), error.what(), kEncoderAgain));
  }
  if (state->width < 1 || state->context < 1 || !listed.files.contains("encoder.ts") ||
      !listed.files.contains("tokenizer.json")) {
    throw core::Error(
        fmt::format("{}: expected width and context of at least 1 and the files encoder.ts and "
                    "tokenizer.json, found {}, {} and {} files; {}",
                    file.string(), state->width, state->context, listed.files.size(), kEncoderAgain));
  }
  verify_files(listed, kEncoderAgain);
  try {
    torch::jit::Module module = torch::jit::load((folder / "encoder.ts").string(), at::kCPU);
    module.eval();
    state->module = torch::jit::freeze_module(module);
  } catch (const c10::Error& error) {
    throw core::Error(fmt::format("{}: expected a TorchScript module, found: {}; {}", (folder / "encoder.ts").string(),
                                  first_line(error.what_without_backtrace()), kEncoderAgain));
  }
  return Encoder(std::move(state));
}

std::vector<float> Encoder::states(std::span<const std::int32_t> tokens) const {
  if (tokens.empty() || tokens.size() > static_cast<std::size_t>(state_->context)) {
    throw core::Error(
        fmt::format("encoder {}: expected 1 to {} tokens, found {}", state_->name, state_->context, tokens.size()));
  }
  const torch::InferenceMode inference;
  const OneIntraOpThread alone;  // the same bits on any machine, and no helpers that spin on
  const at::Tensor ids =
      at::tensor(at::IntArrayRef(std::vector<std::int64_t>(tokens.begin(), tokens.end())), at::kLong);
  at::Tensor states;
  try {
    states = torch::jit::Module(state_->module).forward({ids}).toTensor().contiguous();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    std::string text = error.what();
    text.erase(text.find_last_not_of(" \n") + 1);
    throw core::Error(fmt::format("{}: expected a module that runs on tokens of its vocabulary, found: {}; {}",
                                  (state_->folder / "encoder.ts").string(), text.substr(text.rfind('\n') + 1),
                                  kEncoderAgain));
  }
  if (states.scalar_type() != at::kFloat || states.dim() != 2 ||
      states.size(0) != static_cast<std::int64_t>(tokens.size()) || states.size(1) != state_->width) {
    throw core::Error(fmt::format("{}: expected float32 states of {} x {}, found others; {}",
                                  (state_->folder / "encoder.ts").string(), tokens.size(), state_->width,
                                  kEncoderAgain));
  }
  const float* values = states.const_data_ptr<float>();
  return {values, values + states.numel()};
}

}  // namespace polar::pool
