#pragma once
// From a task's examples to the tokens the executor runs.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/token_set.h"
#include "pool/manifest.h"
#include "task/example.h"
#include "task/grader.h"
#include "task/task.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

namespace polar::exec {

/// The reference answer as tokens, and the vocabulary entries that may follow it: those after which the answer is
/// judged right, and those that begin a stop string before which it is.
struct Draft {
  std::vector<text::Token> tokens;              ///< encode(prompt + separator + answer) without the prompt
  std::shared_ptr<const TokenSet> terminators;  ///< nullptr when no token ends the answer
};

/// One example, ready to run. Immutable.
struct EncodedExample {
  task::ExampleId id;
  std::vector<text::Token> prompt;  ///< at least one token; without a chat template the tokenizer's prefix first
  std::string question;             ///< as asked, without the template: what an external encoder reads
  std::string reference;            ///< empty for inputs without a known answer
  Draft draft;                      ///< empty tokens: nothing to verify or score
};

/// Encodes the examples of one task. Not thread-safe (terminator sets are cached per draft text). The pool's manifest,
/// tokenizer, and task must outlive it.
class TaskEncoder {
 public:
  TaskEncoder(const pool::Manifest& manifest, const text::Tokenizer& tokenizer, const task::TaskSpec& task);

  /// With its draft. Throws core::Error naming the example when the encoded prompt is no prefix of encode(prompt +
  /// separator + answer), or when the sequence exceeds the model's context.
  /// `scored` = false leaves the terminators out, which take milliseconds for each distinct answer.
  EncodedExample encode(const task::Example& example, bool scored = true);

  /// The prompt alone: what a deployed policy sees. Neither answer nor label is read.
  EncodedExample encode_input(const task::ExampleId& id, const std::string& question) const;

  const task::TextGrader& grader() const { return *grader_; }
  const std::vector<std::string>& stop_strings() const { return stop_; }
  int max_new_tokens() const { return max_new_tokens_; }

 private:
  std::vector<text::Token> tokens_of(const std::string& text) const;
  std::shared_ptr<const TokenSet> terminators(const std::string& draft_text, const std::string& reference);

  const pool::Manifest& manifest_;
  const text::Tokenizer& tokenizer_;
  text::PromptTemplate template_;
  std::unique_ptr<task::TextGrader> grader_;
  std::string separator_;
  std::vector<std::string> stop_;
  int max_new_tokens_;
  std::vector<text::Token> prefix_;  ///< empty under a chat template, whose text holds what the model expects
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const TokenSet>> terminators_of_;
  std::vector<std::shared_ptr<const TokenSet>> terminator_sets_;  ///< few: most answers end alike
};

/// Leading tokens that all prompts have in common, less the last token of the shortest prompt: what the
/// executor may compute once per program step (architecture.md, executor 4).
std::vector<text::Token> shared_prompt(std::span<const EncodedExample> examples);

}  // namespace polar::exec
