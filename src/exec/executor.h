#pragma once
// Executor: runs programs of layers over token sequences and lets the model answer with them (architecture.md,
// "Executor").

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/program.h"
#include "exec/encoding.h"
#include "pool/module_pool.h"

namespace polar::exec {

/// Which keys a repeated layer's rows attend to. Programs without repeats give the same bits under both.
enum class CacheSemantics {
  /// Every program step has its own slot: a row at position t of step k sees the keys of step k at positions 0 … t.
  kPerStep,
  /// Every layer has one slot, as in the authors' released code, whose labels were judged that way. A pass over the
  /// sequence (the prompt; prompt and reference where it is scored), then one pass a decoded token, each run the whole
  /// program; every execution of a layer appends its keys and values behind those in the layer's slot, and a row at
  /// position t sees all entries of positions ≤ t. So
  ///  - in the first pass the n-th execution of a layer sees its own keys and those of the n − 1 executions before it;
  ///  - a decoded token sees, at every execution, what all executions left for the tokens before it, those of later
  ///    program steps too, and of its own token the executions so far.
  /// Decoding is therefore no continuation of the first pass: programs with repeats are decoded token by token,
  /// whatever draft_verification says; answer_log_prob and margin come from the first pass.
  ///
  /// Hugging Face's DynamicCache appends the same entries, and its decoding passes (one query, no mask) read the same
  /// ones. What its first pass lets a repeat see depends on the attention in use, which masks by index, not by
  /// position: causal scaled_dot_product_attention aligns at the top left and shows the first execution's keys 0 … t
  /// alone, flash-attention aligns at the bottom right and shows all of the earlier executions' keys, later positions'
  /// too; eager attention refuses the lengths. The rule above is the one that stays causal and is what the paper's
  /// description ("appends both") says. Positions are the token's own; the cache's length does not shift them.
  kSharedSlot,
};

/// "per_step" | "shared_slot"; throws core::UsageError for other text.
CacheSemantics parse_cache_semantics(const std::string& setting);

struct ExecOptions {
  int workers = 0;     ///< threads of one intra-op thread each; 0 = one a core; always 1 on a device other than the CPU
  int layer_rows = 0;  ///< R of the layers: rows of a full GEMM call; 0 = 256, on a device other than the CPU 2,048
  int head_rows = 0;   ///< R of the output head; 0 = 128, on a device other than the CPU 512
  bool batch_invariant = true;  ///< bits do not depend on batch, order, workers, cache or interruptions
  bool prefix_sharing = true;   ///< programs of one example share the states of common prefixes
  bool layer_batching = true;   ///< rows of different programs and examples run together
  /// The reference answer is verified in the prefill pass, whole where it is scored, else its beginning (kVerdict
  /// only); false: every token is decoded.
  bool draft_verification = true;
  bool shared_prompt = true;              ///< tokens common to all prompts are computed once per program step
  bool read_rows_only = true;             ///< the last step of a program is finished only for rows that are read
  std::size_t cache_bytes = 256UL << 20;  ///< states kept between calls, all workers together
  std::size_t wave_bytes = 768UL << 20;   ///< states of trials in flight, all workers together; one trial always runs
  CacheSemantics cache_semantics = CacheSemantics::kPerStep;
  /// States are tensors and attention is LibTorch's: always so on a device other than the CPU, and there on request,
  /// so that this way is tested on every machine.
  bool tensor_states = false;
  std::uint64_t seed = 1;  ///< root of the sampling noise
};

/// When generation stops, besides stop tokens, stop strings and the length limit.
enum class StopRule {
  kVerdict,  ///< as soon as the verdict on the reference is fixed (search only)
  kAnswer,   ///< as soon as the extracted answer is final, without knowing the reference
  kFull,     ///< never early: deployable answers and their latency
};

/// Rules of generation, shared by many requests. The grader may be null (free generation): then only kFull is allowed.
struct GenerationRules {
  const task::TextGrader* grader = nullptr;
  std::vector<std::string> stop_strings;
  int max_new_tokens = 16;
  StopRule stop = StopRule::kAnswer;
};

/// One (sequence, program, sample) to run. Pointers must stay valid during the call.
struct Request {
  const EncodedExample* example = nullptr;
  core::Program program;
  double temperature = 0;  ///< 0 = greedy
  int sample_index = 0;
  const GenerationRules* rules = nullptr;
  bool score_reference = false;  ///< compute answer_log_prob and margin from the draft
  /// Called with each piece of the answer's text as soon as no later token can take it back; from a worker's thread,
  /// pieces in order. May be empty.
  std::function<void(std::string_view piece)> on_text = {};
};

struct Answer {
  std::vector<text::Token> tokens;  ///< generated tokens, a stop token included
  std::string text;                 ///< their text, without stop tokens, cut at the first stop string
  std::string answer;               ///< extracted by the grader
  bool answer_final = false;        ///< full generation would give the same `answer`
  bool correct = false;             ///< meaningful when the example has a reference
  double answer_log_prob = 0;       ///< natural log; sum over the scored positions
  double margin = 0;                ///< min over the scored positions
  int scored_positions = 0;         ///< 0 unless score_reference
  double confidence = 0;            ///< mean log-probability of the generated tokens up to the end of the answer
  double prefill_ms = 0;            ///< from the call to this answer's first token
  double decode_ms = 0;             ///< from there to its end
};

/// Hidden rows of one prompt after a program prefix.
struct States {
  int tokens = 0, width = 0;
  std::vector<float> values;  ///< row-major [tokens, width]
};

/// Work since construction or reset_stats(). A row is one position of one sequence at one layer.
struct ExecStats {
  std::uint64_t layer_rows = 0;         ///< rows run through a layer
  std::uint64_t decoded_rows = 0;       ///< of these, rows of tokens that the model wrote
  std::uint64_t unread_rows = 0;        ///< of these, rows that left it after keys and values (read_rows_only)
  std::uint64_t padded_layer_rows = 0;  ///< the same with the zero rows of padding
  std::uint64_t layer_calls = 0;
  std::uint64_t head_rows = 0;
  std::uint64_t shared_nodes = 0;  ///< program steps that were found in the trie
  std::uint64_t computed_nodes = 0;
  std::uint64_t evicted_nodes = 0;
  std::uint64_t evicted_bytes = 0;
  std::uint64_t waves = 0;          ///< times that trials were admitted
  std::size_t peak_bytes = 0;       ///< states held at once, all workers
  std::size_t peak_idle_bytes = 0;  ///< of these, kept for later trials alone: at most cache_bytes
};

/// Results are a pure function of weights, fingerprint, tokens, program and sample (with batch_invariant). Calls are
/// not reentrant: one caller at a time; the executor runs its own workers. Throws core::Error (a layer outside the
/// pool, memory, threads, logits that are not finite, naming example and program); the prefix cache is then emptied and
/// the executor stays usable.
class Executor {
 public:
  /// Throws core::UsageError for kSharedSlot with a model whose layers attend to a window: it has no meaning there.
  Executor(std::shared_ptr<const pool::ModulePool> pool, std::shared_ptr<const text::Tokenizer> tokenizer,
           const ExecOptions& options);
  ~Executor();

  /// Tokens that begin the prompts of a task: computed once per program step for all sequences that start with them.
  /// Changes no result.
  void set_shared_prompt(std::vector<text::Token> tokens);

  /// Answers in request order.
  std::vector<Answer> answer(std::span<const Request> requests);

  /// Hidden rows of every prompt after the steps of `prefix` (0 … p−1 for the predictor's features; empty: the
  /// embeddings).
  std::vector<States> states(std::span<const EncodedExample> examples, const core::Program& prefix);

  const pool::ModulePool& pool() const;
  const text::Tokenizer& tokenizer() const;
  const ExecOptions& options() const;  ///< every 0 and device's rule resolved
  ExecStats stats() const;
  void reset_stats();
  void clear_cache();

  /// What outcomes depend on besides weights, tokens, program and sample: LibTorch, device, instruction set, dtype, R,
  /// kernel revision, compiler, cache semantics.
  std::string fingerprint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace polar::exec
