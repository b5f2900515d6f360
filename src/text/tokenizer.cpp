#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <unordered_map>

#include "core/error.h"
#include "text/added_token_matcher.h"
#include "text/byte_alphabet.h"
#include "text/byte_pair.h"
#include "text/normalize.h"
#include "text/splitter.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace polar::text {

namespace {

/// Working memory of one encode call.
struct Scratch {
  SplitScratch split;
  BytePairModel::Scratch words;
};

/// Scratches lent to encode calls and kept between them: as many as calls ever ran at once.
class ScratchPool {
 public:
  /// Gives its scratch back when it goes.
  class Loan {
   public:
    explicit Loan(ScratchPool& pool) : pool_(&pool), scratch_(pool.take()) {}
    ~Loan() { pool_->give_back(std::move(scratch_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Scratch& operator*() { return *scratch_; }

   private:
    ScratchPool* pool_;
    std::unique_ptr<Scratch> scratch_;
  };

 private:
  std::unique_ptr<Scratch> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto scratch = std::move(idle_.back());
        idle_.pop_back();
        return scratch;
      }
      idle_.reserve(++lent_);  // so that giving back cannot fail
    }
    return std::make_unique<Scratch>();
  }
  void give_back(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> idle_;
  std::size_t lent_ = 0;
};

}  // namespace

struct Tokenizer::State {
  explicit State(const TokenizerSpec& spec);

  // Encoding, in order: added tokens, NFC, normalised added tokens, words, BPE.
  void encode_piece(std::string_view piece, Scratch& scratch, std::vector<Token>& out) const;
  void encode_normalized(std::string_view piece, Scratch& scratch, std::vector<Token>& out) const;
  void encode_words(std::size_t stage, std::string_view piece, Scratch& scratch, std::vector<Token>& out) const;

  bool known(Token token) const { return token >= 0 && static_cast<std::size_t>(token) < bytes.size(); }

  bool nfc;
  AddedTokenMatcher added, added_normalized;
  std::vector<Splitter> splitters;
  BytePairModel model;
  std::vector<std::string> bytes;  ///< by id; empty where the file has no token
  std::vector<bool> special;       ///< by id
  std::unordered_map<std::string, Token> ids;
  std::vector<Token> prefix;
  mutable ScratchPool scratches;
};

Tokenizer::State::State(const TokenizerSpec& spec)
    : nfc(spec.nfc),
      added(spec.added, false),
      added_normalized(spec.added, true),
      model(spec),
      ids(spec.vocabulary),
      prefix(spec.prefix) {
  for (const std::string& pattern : spec.pre_tokenizer) splitters.emplace_back(pattern);
  for (const AddedToken& token : spec.added) ids.emplace(token.content, token.id);
  Token size = 0;
  for (const auto& [content, id] : ids) size = std::max(size, id + 1);
  bytes.resize(static_cast<std::size_t>(size));
  special.resize(static_cast<std::size_t>(size));
  // As Hugging Face's ByteLevel decoder: a token wholly within the byte alphabet stands for bytes, any other for
  // itself.
  for (const auto& [content, id] : ids) bytes[id] = alphabet_bytes(content).value_or(content);
  for (const AddedToken& token : spec.added) special[token.id] = token.special;
}

void Tokenizer::State::encode_piece(std::string_view piece, Scratch& scratch, std::vector<Token>& out) const {
  if (piece.empty()) return;
  if (nfc && may_need_nfc(piece)) return encode_normalized(normalize_nfc(piece), scratch, out);
  encode_normalized(piece, scratch, out);
}

void Tokenizer::State::encode_normalized(std::string_view piece, Scratch& scratch, std::vector<Token>& out) const {
  std::size_t at = 0;
  while (const auto match = added_normalized.find(piece, at)) {
    encode_words(0, piece.substr(at, match->begin - at), scratch, out);
    out.push_back(match->id);
    at = match->end;
  }
  encode_words(0, piece.substr(at), scratch, out);
}

void Tokenizer::State::encode_words(std::size_t stage, std::string_view piece, Scratch& scratch,
                                    std::vector<Token>& out) const {
  if (piece.empty()) return;
  if (stage == splitters.size()) return model.encode(piece, scratch.words, out);
  std::size_t at = 0;
  Splitter::Match match;
  while (at < piece.size() && splitters[stage].find(piece, at, scratch.split, match)) {
    encode_words(stage + 1, piece.substr(at, match.begin - at), scratch, out);
    encode_words(stage + 1, piece.substr(match.begin, match.end - match.begin), scratch, out);
    at = match.end;
  }
  encode_words(stage + 1, piece.substr(at), scratch, out);
}

Tokenizer Tokenizer::load(const std::filesystem::path& tokenizer_json) {
  return Tokenizer(std::make_unique<State>(read_tokenizer_json(tokenizer_json)));
}

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

std::span<const Token> Tokenizer::prefix() const {
  return state_->prefix;
}

std::vector<Token> Tokenizer::encode(std::string_view text) const {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) / 3) {
    throw core::Error(
        fmt::format("encode: expected a text of less than 700 MB, found {} bytes: cut it into parts", text.size()));
  }
  std::string repaired;
  if (valid_utf8_prefix(text) < text.size()) {
    repaired = repair_utf8(text);
    text = repaired;
  }
  ScratchPool::Loan scratch(state_->scratches);
  std::vector<Token> out;
  std::size_t at = 0;
  while (const auto match = state_->added.find(text, at)) {
    state_->encode_piece(text.substr(at, match->begin - at), *scratch, out);
    out.push_back(match->id);
    at = match->end;
  }
  state_->encode_piece(text.substr(at), *scratch, out);
  return out;
}

std::string Tokenizer::decode(std::span<const Token> tokens, bool skip_special) const {
  std::string bytes;
  for (const Token token : tokens) {
    if (state_->known(token) && !(skip_special && state_->special[token])) bytes += state_->bytes[token];
  }
  return repair_utf8(bytes);
}

std::string_view Tokenizer::token_bytes(Token token) const {
  if (!state_->known(token)) {
    throw core::Error(fmt::format("token id: expected 0 … {}, found {}: the ids come from another tokenizer",
                                  vocabulary_size() - 1, token));
  }
  return state_->bytes[token];
}

bool Tokenizer::is_special(Token token) const {
  return state_->known(token) && state_->special[token];
}

int Tokenizer::vocabulary_size() const {
  return static_cast<int>(state_->bytes.size());
}

Token Tokenizer::id_of(std::string_view content) const {
  const auto it = state_->ids.find(std::string(content));
  return it == state_->ids.end() ? -1 : it->second;
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(&tokenizer), skip_special_(skip_special) {}

std::string StreamDecoder::push(Token token) {
  const bool known = token >= 0 && token < tokenizer_->vocabulary_size();
  if (!known || (skip_special_ && tokenizer_->is_special(token))) return {};
  pending_ += tokenizer_->token_bytes(token);
  const std::size_t complete = pending_.size() - incomplete_utf8_tail(pending_);
  std::string out = repair_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return out;
}

std::string StreamDecoder::flush() {
  std::string out = repair_utf8(pending_);
  pending_.clear();
  return out;
}

}  // namespace polar::text
