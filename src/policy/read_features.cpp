#include "policy/read_features.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"
#include "pool/encoder.h"
#include "text/word_piece.h"

namespace polar::policy {

struct FeatureReader::External {
  pool::Encoder encoder;
  text::WordPiece tokenizer;

  predict::TokenFeatures read(const std::string& question) const {
    std::vector<text::Token> tokens = tokenizer.encode(question);
    const auto most = static_cast<std::size_t>(encoder.context());
    if (tokens.size() > most) tokens.erase(tokens.begin() + encoder.context() - 1, tokens.end() - 1);  // [SEP] stays
    return {static_cast<int>(tokens.size()), encoder.width(), encoder.states(tokens)};
  }
};

std::vector<predict::TokenFeatures> read_states(exec::Executor& executor, std::span<const exec::EncodedExample> prompts,
                                                const core::Program& prefix) {
  std::vector<predict::TokenFeatures> features;
  for (exec::States& states : executor.states(prompts, prefix))
    features.push_back({states.tokens, states.width, std::move(states.values)});
  return features;
}

FeatureReader::FeatureReader(const predict::Origin& origin) {
  if (origin.features == "states" && origin.prefix_layers > 0) prefix_ = core::Program::identity(origin.prefix_layers);
  if (origin.features == "states" || origin.features == "embeddings") return;
  if (origin.features != "encoder") {
    throw core::Error(fmt::format("features: expected states, embeddings or encoder, found '{}'", origin.features));
  }
  pool::Encoder encoder = pool::Encoder::load(origin.encoder);
  if (!origin.encoder_digest.empty() && encoder.digest() != origin.encoder_digest) {
    throw core::Error(
        fmt::format("{}: expected the encoder of digest {}, found {}; what was trained on one reads no other",
                    origin.encoder, origin.encoder_digest, encoder.digest()));
  }
  text::WordPiece tokenizer = text::WordPiece::load(encoder.tokenizer_file());
  external_ = std::make_unique<External>(std::move(encoder), std::move(tokenizer));
}

FeatureReader::~FeatureReader() = default;
FeatureReader::FeatureReader(FeatureReader&&) noexcept = default;
FeatureReader& FeatureReader::operator=(FeatureReader&&) noexcept = default;

std::vector<predict::TokenFeatures> FeatureReader::read(exec::Executor& executor,
                                                        std::span<const exec::EncodedExample> prompts) const {
  if (!external_) return read_states(executor, prompts, prefix_);
  std::vector<predict::TokenFeatures> features;
  for (const exec::EncodedExample& prompt : prompts) features.push_back(external_->read(prompt.question));
  return features;
}

std::string FeatureReader::encoder_digest() const {
  return external_ ? external_->encoder.digest() : std::string();
}

}  // namespace polar::policy
