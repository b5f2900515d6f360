#pragma once
// An external text encoder, whose states of a question a policy may read in place of the pool's own.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace polar::pool {

/// A package written by scripts/export_encoder.py: encoder.json, encoder.ts, tokenizer.json. Runs in float32 on the
/// CPU, whole: no layer of it is skipped or repeated. Thread-safe.
class Encoder {
 public:
  /// Throws core::Error naming file, field, expected, found and remedy for a package that is missing, damaged (sizes
  /// and SHA-256 are checked) or of a later format.
  static Encoder load(const std::filesystem::path& folder);

  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  const std::string& name() const;
  /// SHA-256 of its tensors and tokenizer.
  const std::string& digest() const;
  int width() const;
  int context() const;  ///< most tokens of a text
  std::filesystem::path tokenizer_file() const;

  /// States of one text, row-major [tokens, width]. Throws core::Error for no token, more than context() of them or one
  /// outside the vocabulary.
  std::vector<float> states(std::span<const std::int32_t> tokens) const;

 private:
  struct State;
  explicit Encoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace polar::pool
