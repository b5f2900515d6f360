#pragma once
// One answer in the making: tokens are appended until a stop rule holds.

#include "exec/executor.h"
#include "exec/logits.h"

namespace polar::exec {

/// Turns tokens into text and decides when to stop. Not thread-safe.
class Generation {
 public:
  /// `eos_ids` must outlive the object, as must the request.
  Generation(const Request& request, const text::Tokenizer& tokenizer, const std::vector<int>& eos_ids);

  /// Appends the token drawn for the next position; returns whether generation is over.
  bool append(const RowReading& reading);
  /// Writes text, answer, verdict and confidence.
  void finish(Answer& answer) const;

  std::size_t length() const { return tokens_.size(); }
  text::Token last() const { return tokens_.back(); }

 private:
  bool append_text(text::Token token);
  std::size_t settled() const;  ///< bytes of text_ that no stop string can take back any more
  task::Verdict verdict() const;
  void judge();
  void stream();

  const Request& request_;
  const std::vector<int>& eos_ids_;
  text::StreamDecoder decoder_;
  std::vector<text::Token> tokens_;
  std::string text_;
  std::size_t streamed_ = 0;  ///< bytes of text_ given to on_text
  bool finished_ = false;     ///< no more text will come by any rule of generation
  bool stopped_ = false;
  bool answer_settled_ = false;
  double log_prob_ = 0, confidence_ = 0;
};

}  // namespace polar::exec
