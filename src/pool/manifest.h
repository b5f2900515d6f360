#pragma once
// pool.json: what a pool package says about itself (architecture.md, "Pool package").

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace polar::pool {

enum class DType { kBFloat16, kFloat32 };

std::string to_string(DType dtype);

/// How the executor must attend in one layer; causally, in every decoder.
struct Attention {
  int window = 0;      ///< positions a query sees, itself included; 0 = all
  double scale = 1;    ///< factor on q·k
  double softcap = 0;  ///< s → softcap·tanh(s / softcap); 0 = none
};

/// One user turn of the chat template, as the exporter rendered it.
struct Chat {
  std::string before_user, after_user;
  std::string before_system, between;
  bool takes_system = false;
};

struct PackageFile {
  std::uintmax_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  static constexpr int kFormatVersion = 1;

  std::filesystem::path folder;
  std::string kind;  ///< "decoder"
  std::string model_name, architecture, source, source_revision, licence;
  int depth = 0;       ///< D
  int hidden = 0;      ///< d
  int heads = 0;       ///< H
  int kv_heads = 0;    ///< Hkv, divides H
  int head_size = 0;   ///< h
  int vocabulary = 0;  ///< V
  int context = 0;     ///< longest sequence, tokens
  DType stored_dtype = DType::kBFloat16;
  std::vector<std::string> layer_files;  ///< D names
  std::vector<Attention> attention;      ///< D entries
  std::string embed_file, head_file, tokenizer_file;
  std::vector<int> eos_ids;
  std::optional<Chat> chat;
  std::map<std::string, PackageFile> files;
  std::string weights_digest;  ///< keys labels, policies and caches
  std::string torch_version;   ///< of the exporter

  std::filesystem::path path(const std::string& file) const { return folder / file; }
};

/// SHA-256, in hexadecimal digits, of a manifest's text with its own `seal` (the value of manifest_sha256) written as
/// zeros.
std::string manifest_seal(std::string text, std::string_view seal);

/// Reads and checks pool.json alone. Throws core::Error naming file, field, expected, found, remedy; a manifest of a
/// later format, or one that is not as it was written, is refused.
Manifest read_manifest(const std::filesystem::path& folder);

/// Checks presence, size and SHA-256 of every file the manifest lists, in parallel. Throws core::Error for the first
/// bad file, with the remedy at its end.
void verify_files(const Manifest& manifest, const char* remedy = "export the pool again with scripts/export.py");

}  // namespace polar::pool
