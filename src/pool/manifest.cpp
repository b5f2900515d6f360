#include "pool/manifest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>

#include "core/available_cores.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"

namespace polar::pool {
namespace {

using nlohmann::json;

constexpr const char* kExportAgain = "export the pool again with scripts/export.py";

/// Reads typed fields of one JSON object and names the field in every error.
class Fields {
 public:
  Fields(const json& object, std::string where, const std::filesystem::path& file)
      : object_(object), where_(std::move(where)), file_(file) {
    if (!object_.is_object()) fail("", "an object");
  }

  template <typename T>
  T get(const char* key, const char* expected) const {
    if (!object_.contains(key)) fail(key, expected);
    try {
      return object_.at(key).get<T>();
    } catch (const json::exception&) {
      fail(key, expected);
    }
  }
  std::string text(const char* key) const { return get<std::string>(key, "a string"); }
  std::string optional_text(const char* key) const { return has(key) ? text(key) : std::string(); }
  int count(const char* key) const {
    const int value = get<int>(key, "an integer >= 1");
    if (value < 1 || !object_.at(key).is_number_integer()) fail(key, "an integer >= 1");
    return value;
  }
  double number_or(const char* key, double fallback) const {
    return has(key) ? get<double>(key, "a number") : fallback;
  }
  bool has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }
  Fields child(const char* key) const {
    if (!has(key)) fail(key, "an object");
    return Fields(object_.at(key), where_ + key + ".", file_);
  }
  const json& array(const char* key) const {
    if (!object_.contains(key) || !object_.at(key).is_array()) fail(key, "a list");
    return object_.at(key);
  }
  const json& raw() const { return object_; }

  [[noreturn]] void fail(const char* key, const std::string& expected) const {
    const bool present = *key != 0 && object_.is_object() && object_.contains(key);
    throw core::Error(fmt::format("{}: {}{}: expected {}, found {}; {}", file_.string(), where_, key, expected,
                                  present ? object_.at(key).dump().substr(0, 80) : "nothing", kExportAgain));
  }

 private:
  const json& object_;
  std::string where_;
  std::filesystem::path file_;
};

DType parse_dtype(const Fields& fields) {
  const std::string name = fields.text("dtype");
  if (name == "bfloat16") return DType::kBFloat16;
  if (name == "float32") return DType::kFloat32;
  fields.fail("dtype", "bfloat16 or float32");
}

Attention parse_attention(const Fields& fields) {
  if (fields.text("kind") != "causal") fields.fail("kind", "causal, as a decoder attends");
  Attention attention;
  attention.window = static_cast<int>(fields.number_or("window", 0));
  attention.scale = fields.get<double>("scale", "a number");
  attention.softcap = fields.number_or("softcap", 0);
  return attention;
}

void parse_shape(const Fields& shape, Manifest& manifest) {
  manifest.depth = shape.count("depth");
  manifest.hidden = shape.count("hidden");
  manifest.heads = shape.count("heads");
  manifest.kv_heads = shape.count("kv_heads");
  manifest.head_size = shape.count("head_size");
  manifest.vocabulary = shape.count("vocabulary");
  manifest.context = shape.count("context");
  if (manifest.heads % manifest.kv_heads != 0) shape.fail("kv_heads", "a divisor of heads");
}

void parse_layers(const Fields& top, const std::filesystem::path& file, Manifest& manifest) {
  const json& layers = top.array("layers");
  if (static_cast<int>(layers.size()) != manifest.depth) {
    throw core::Error(fmt::format("{}: layers: expected {} entries (shape.depth), found {}; {}", file.string(),
                                  manifest.depth, layers.size(), kExportAgain));
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Fields layer(layers[i], fmt::format("layers[{}].", i), file);
    manifest.layer_files.push_back(layer.text("file"));
    manifest.attention.push_back(parse_attention(layer.child("attention")));
  }
}

void parse_files(const Fields& top, const std::filesystem::path& file, Manifest& manifest) {
  const Fields files = top.child("files");
  for (const auto& [name, entry] : files.raw().items()) {
    const Fields fields(entry, "files." + name + ".", file);
    manifest.files[name] = {fields.get<std::uintmax_t>("bytes", "a size in bytes"), fields.text("sha256")};
  }
  std::vector<std::string> needed = manifest.layer_files;
  needed.insert(needed.end(), {manifest.embed_file, manifest.head_file, manifest.tokenizer_file});
  for (const std::string& name : needed) {
    if (!manifest.files.contains(name)) files.fail(name.c_str(), "an entry with bytes and sha256");
  }
}

std::optional<Chat> parse_chat(const Fields& top) {
  if (!top.has("chat")) return std::nullopt;
  const Fields fields = top.child("chat");
  Chat chat{fields.text("before_user"), fields.text("after_user"), fields.optional_text("before_system"),
            fields.optional_text("between"), fields.get<bool>("takes_system", "true or false")};
  return chat;
}

json parse_json(const std::string& text, const std::filesystem::path& file) {
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    throw core::Error(fmt::format("{}: expected JSON, found: {}; {}", file.string(), error.what(), kExportAgain));
  }
}

void check_version(const Fields& top, const std::filesystem::path& file) {
  const int version = top.count("format_version");
  if (version > Manifest::kFormatVersion) {
    throw core::Error(fmt::format(
        "{}: format_version: expected at most {}, found {}; the pool was written by a later polar: update this "
        "program, or {}",
        file.string(), Manifest::kFormatVersion, version, kExportAgain));
  }
}

void check_seal(const Fields& top, const std::string& text, const std::filesystem::path& file) {
  const std::string expected = top.text("manifest_sha256"), found = manifest_seal(text, expected);
  if (found != expected) {
    throw core::Error(fmt::format("{}: manifest_sha256: expected {}, found {}: the file is damaged or was edited; {}",
                                  file.string(), expected, found, kExportAgain));
  }
}

void verify_file(const Manifest& manifest, const std::string& name, const PackageFile& expected, const char* remedy) {
  const std::filesystem::path file = manifest.path(name);
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(file, error);
  if (error) {
    throw core::Error(fmt::format("{}: expected a file of {} bytes, found none ({}); {}", file.string(), expected.bytes,
                                  error.message(), remedy));
  }
  if (bytes != expected.bytes) {
    throw core::Error(fmt::format("{}: expected {} bytes, found {}: the file is cut off or was replaced; {}",
                                  file.string(), expected.bytes, bytes, remedy));
  }
  const std::string sha256 = core::sha256_file(file);
  if (sha256 != expected.sha256) {
    throw core::Error(fmt::format("{}: expected SHA-256 {}, found {}: the file is damaged; {}", file.string(),
                                  expected.sha256, sha256, remedy));
  }
}

}  // namespace

std::string to_string(DType dtype) {
  return dtype == DType::kBFloat16 ? "bfloat16" : "float32";
}

std::string manifest_seal(std::string text, std::string_view seal) {
  if (const std::size_t at = text.find(seal); !seal.empty() && at != std::string::npos)
    text.replace(at, seal.size(), seal.size(), '0');
  return core::sha256(text);
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "pool.json";
  if (!std::filesystem::exists(file)) {
    throw core::Error(fmt::format(
        "{}: expected a pool package with a pool.json, found none; make one with .venv/bin/python scripts/export.py",
        folder.string()));
  }
  const std::string text = core::read_file(file);
  const json document = parse_json(text, file);
  const Fields top(document, "", file);
  check_version(top, file);
  check_seal(top, text, file);

  Manifest manifest;
  manifest.folder = folder;
  manifest.kind = top.text("kind");
  if (manifest.kind != "decoder") top.fail("kind", "decoder");
  const Fields model = top.child("model");
  manifest.model_name = model.text("name");
  manifest.architecture = model.text("architecture");
  manifest.source = model.optional_text("source");
  manifest.source_revision = model.optional_text("source_revision");
  manifest.licence = model.optional_text("licence");
  parse_shape(top.child("shape"), manifest);
  manifest.stored_dtype = parse_dtype(top);
  manifest.embed_file = top.text("embed");
  manifest.head_file = top.text("head");
  manifest.tokenizer_file = top.text("tokenizer");
  parse_layers(top, file, manifest);
  manifest.eos_ids = top.get<std::vector<int>>("eos_ids", "a list of token ids");
  const auto outside = [&](const json& id) { return !id.is_number_unsigned() || id >= json(manifest.vocabulary); };
  if (std::ranges::any_of(top.array("eos_ids"), outside))
    top.fail("eos_ids", fmt::format("ids from 0 to {}", manifest.vocabulary - 1));
  manifest.chat = parse_chat(top);
  parse_files(top, file, manifest);
  manifest.weights_digest = top.text("weights_digest");
  manifest.torch_version = top.child("exported_with").text("torch");
  return manifest;
}

void verify_files(const Manifest& manifest, const char* remedy) {
  std::vector<std::future<void>> checks;
  const auto lanes = static_cast<unsigned>(core::available_cores());
  std::vector<std::pair<std::string, PackageFile>> files(manifest.files.begin(), manifest.files.end());
  for (unsigned lane = 0; lane < lanes; ++lane) {
    checks.push_back(std::async(std::launch::async, [&, lane] {
      for (std::size_t i = lane; i < files.size(); i += lanes)
        verify_file(manifest, files[i].first, files[i].second, remedy);
    }));
  }
  for (auto& check : checks) check.wait();
  for (auto& check : checks) check.get();
}

}  // namespace polar::pool
