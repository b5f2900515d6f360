#pragma once
// What is read from one row of logits: the next token, its log-probability, and how the reference answer fares there.

#include <cstdint>
#include <span>
#include <vector>

#include "exec/token_set.h"
#include "text/tokenizer.h"

namespace polar::exec {

/// What the reference requires at one position: a token, or (at the terminator position) any token of a set.
struct Required {
  text::Token token = -1;            ///< −1: see `any_of`
  const TokenSet* any_of = nullptr;  ///< of the vocabulary; nullptr together with token −1: nothing is scored
};

/// How the next token is drawn: greedy at temperature 0, else the arg max of logits / temperature + Gumbel noise,
/// counter-based so that the draw depends on (key, position, token) alone. Gumbel-max sampling: Maddison et al. 2014,
/// section 3.
struct Draw {
  double temperature = 0;
  std::uint64_t noise_key = 0;
  std::int64_t position = 0;  ///< absolute position of the drawn token
};

/// Of logits from which nothing can be drawn.
inline constexpr text::Token kNoToken = -1;

struct RowReading {
  text::Token next = 0;          ///< drawn token; ties go to the lowest id; kNoToken where logits are not finite
  double next_log_prob = 0;      ///< its natural log-probability at temperature 1
  double required_log_prob = 0;  ///< of the required token or set; 0 when nothing is required
  double margin = 0;             ///< best required logit − best other logit; 0 when nothing is required
};

/// Reads one row of float32 logits [V]. Pure; the order of operations is fixed.
RowReading read_row(std::span<const float> logits, const Required& required, const Draw& draw);

}  // namespace polar::exec
