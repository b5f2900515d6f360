#pragma once
// Worker: one thread's share of an Executor call. It holds the trees of its sequences and runs their rows layer by
// layer.

#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "exec/executor.h"
#include "exec/generation.h"
#include "exec/prefix_tree.h"
#include "exec/row_plan.h"
#include "exec/storage.h"

namespace polar::exec {

/// One trial for a worker: either a request with its answer, or an example whose states after `program` are wanted.
struct Job {
  const EncodedExample* example = nullptr;
  const core::Program* program = nullptr;
  const Request* request = nullptr;
  Answer* answer = nullptr;
  States* states = nullptr;
};

/// Whether a's program comes before b's in a walk through the trie: neighbours share the longest prefixes.
bool in_trie_order(const Job& a, const Job& b);

/// A trial in flight: its nodes in the trie and, once it decodes, its own tail of keys and values.
struct Path {
  Job job;
  PrefixTree* tree = nullptr;
  std::vector<Node*> nodes;  ///< one a program step
  std::unique_ptr<Generation> generation;
  int kept_rows = 0;                              ///< rows of `nodes` that decoding may see
  std::vector<std::unique_ptr<KeyValues>> tails;  ///< one a program step, from the first decoded token on
  std::size_t tail_bytes = 0;                     ///< upper bound of `tails`
  std::unique_ptr<HiddenRows> hidden;             ///< [1, d]
  int step = 0;                                   ///< next program step of the row being decoded
  bool decoding = false;
  bool finished = false;
};

/// Whether the reference answer's log-probability is wanted.
bool is_scored(const Job& job);
/// First row of the path's tree that is read when its program ends; for states all are.
int first_read_row(const Path& path);
/// Most rows that decoding adds to a program step of a request: the last token is read, not run.
int tail_rows(const Job& job);

/// Rows waiting for a layer: all rows of a new node, or one decoding row of a path.
struct Item {
  Node* node = nullptr;
  Path* path = nullptr;
};

/// One execution of a layer, whose keys and values a row may see.
struct Execution {
  const Node* node = nullptr;
  const KeyValues* tail = nullptr;  ///< of decoded tokens; nullptr in prefill
};

/// Steps of run(): (1) put the jobs in order: blocks of examples, within a block program after program in trie order,
/// so that what the block's examples run, they run together; (2) admit as many as the byte bound lets fly; (3) run the
/// lowest waiting layer until none waits; (4) read the heads of all rows that arrived, append tokens, free what has
/// finished, evict; (5) admit more, start the next decoding rows, and go on with 3, so that prompts of new trials run
/// together with decoding rows of older ones. Used by one thread at a time.
class Worker {
 public:
  Worker(const pool::ModulePool& pool, const text::Tokenizer& tokenizer, const RowPlan& plan,
         const ExecOptions& options, std::size_t cache_bytes, std::size_t wave_bytes);
  ~Worker();

  void run(std::vector<Job> jobs, const std::vector<text::Token>& shared_prompt);
  void clear();
  ExecStats& stats() { return stats_; }

 private:
  // Admission.
  std::size_t admit(std::span<const Job> jobs, const std::vector<text::Token>& shared_prompt);
  void retire();
  bool follows_draft(const Job& job) const;
  std::size_t draft_tokens(const Job& job) const;
  std::vector<text::Token> sequence_of(const Job& job) const;
  void place(Path& path, const std::vector<text::Token>& shared_prompt);
  void fill_root(Node& root);
  void walk(Path& path);
  void add_node(Node& parent, Node& node, Node* base);
  void require_rows(Node& node, int from);
  void queue(Node& node);
  std::size_t node_bytes(int rows) const;

  // Layers.
  bool run_lowest_layer();
  void run_layer(int layer, std::span<const Item> items);
  std::vector<int> calls_for(int rows) const;
  int item_rows(const Item& item) const;
  int kept_from(const Item& item) const;
  int first_position(const Item& item) const;
  int padded(int rows) const;
  KeyValues& own_kv(const Item& item) const;
  at::Tensor gather(std::span<const Item> items, int rows, bool kept_only) const;
  at::Tensor positions_of(std::span<const Item> items, int rows) const;
  void project(int layer, std::span<const Item> items, const at::Tensor& hidden, const at::Tensor& positions,
               at::Tensor& queries) const;
  void find_executions(const Item& item, std::vector<Execution>& executions) const;
  void attend(int layer, std::span<const Item> items, const at::Tensor& queries, const at::Tensor& mixed);
  void scatter(std::span<const Item> items, const at::Tensor& rows);
  void finish_items(std::span<const Item> items);

  // Heads and generation.
  void read_heads();
  std::vector<RowReading> read_rows(std::span<Path* const> paths);
  void take_prefill(Path& path, std::span<const RowReading> readings);
  void take_decoded(Path& path, const RowReading& reading);
  void start_decoding();
  void finish(Path& path);
  void copy_states(Path& path);
  int reading_count(const Path& path) const;
  Required required_at(const Path& path, int index) const;
  Draw draw_at(const Path& path, int index) const;

  const pool::ModulePool& pool_;
  const text::Tokenizer& tokenizer_;
  const RowPlan& plan_;
  const ExecOptions& options_;
  std::unique_ptr<Storage> storage_;
  std::size_t wave_bytes_;
  int batch_rows_;
  PrefixCache cache_;
  std::vector<std::unique_ptr<Path>> in_flight_;
  std::size_t tail_bytes_ = 0;              ///< of all trials in flight
  std::vector<std::vector<Item>> waiting_;  ///< by layer
  std::vector<Path*> arrived_;              ///< waiting for the head
  std::vector<Path*> to_decode_;            ///< waiting for the embedding of their last token
  std::chrono::steady_clock::time_point started_;
  ExecStats stats_;
};

}  // namespace polar::exec
