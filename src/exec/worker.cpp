#include "exec/worker.h"

#include <torch/torch.h>

#include <algorithm>
#include <ranges>
#include <unordered_map>

namespace polar::exec {
namespace {

/// Most rows of one layer that run at once where calls are padded, or two full calls: larger batches pad less. Where
/// they are not, smaller ones stay within the processor's cache.
constexpr int kBatchRows = 4096;

/// Rows of the examples whose programs advance side by side: enough for several batches, few enough that the states of
/// one program after the other, on all of them, stay cached.
constexpr int kBlockBatches = 4;

/// Blocks of examples; within a block the programs in trie order, each on all examples: neighbours share long prefixes,
/// and what is one program's alone still runs on many rows.
void put_in_order(std::vector<Job>& jobs, int block_rows, int shared_rows) {
  std::unordered_map<const EncodedExample*, int> blocks;
  int block = 0, rows = 0;
  for (const Job& job : jobs) {
    if (!blocks.emplace(job.example, block).second) continue;
    rows += std::max(1, static_cast<int>(job.example->prompt.size()) - shared_rows);
    if (rows >= block_rows) ++block, rows = 0;
  }
  std::ranges::stable_sort(jobs, [&](const Job& a, const Job& b) {
    const int block_a = blocks.at(a.example), block_b = blocks.at(b.example);
    return block_a != block_b ? block_a < block_b : in_trie_order(a, b);
  });
}

/// Without a score only the draft's beginning is worth running ahead: most programs leave it there, and the few that do
/// not decode the rest.
constexpr std::size_t kUnscoredDraftTokens = 1;

}  // namespace

bool is_scored(const Job& job) {
  return job.request != nullptr && job.request->score_reference && !job.example->draft.tokens.empty();
}

int first_read_row(const Path& path) {
  if (path.job.request == nullptr) return 0;
  return static_cast<int>(path.job.example->prompt.size()) - 1 - path.tree->first_position();
}

int tail_rows(const Job& job) {
  return std::max(0, job.request->rules->max_new_tokens - 1);
}

bool in_trie_order(const Job& a, const Job& b) {
  return std::ranges::lexicographical_compare(a.program->layers(), b.program->layers());
}

Worker::Worker(const pool::ModulePool& pool, const text::Tokenizer& tokenizer, const RowPlan& plan,
               const ExecOptions& options, std::size_t cache_bytes, std::size_t wave_bytes)
    : pool_(pool),
      tokenizer_(tokenizer),
      plan_(plan),
      options_(options),
      storage_(options.tensor_states ? make_tensor_storage(pool) : make_host_storage(pool)),
      wave_bytes_(wave_bytes),
      batch_rows_(plan.layer.any ? plan.layer.full : std::max(kBatchRows, 2 * plan.layer.full)),
      cache_(options.prefix_sharing ? cache_bytes : 0),
      waiting_(static_cast<std::size_t>(pool.manifest().depth)) {}

Worker::~Worker() = default;

void Worker::clear() {
  in_flight_.clear();
  tail_bytes_ = 0;
  for (auto& items : waiting_) items.clear();
  arrived_.clear();
  to_decode_.clear();
  cache_.clear();
}

void Worker::run(std::vector<Job> jobs, const std::vector<text::Token>& shared_prompt) {
  c10::InferenceMode inference;
  started_ = std::chrono::steady_clock::now();
  put_in_order(jobs, kBlockBatches * batch_rows_, options_.shared_prompt ? static_cast<int>(shared_prompt.size()) : 0);
  std::size_t admitted = admit(jobs, shared_prompt);
  while (!in_flight_.empty()) {
    while (run_lowest_layer()) {
    }
    read_heads();
    retire();
    admitted += admit(std::span(jobs).subspan(admitted), shared_prompt);
    start_decoding();
  }
}

std::size_t Worker::node_bytes(int rows) const {
  return storage_->hidden_bytes(rows) + storage_->kv_bytes(rows) + sizeof(Node);
}

/// Whether decoding may go on behind tokens of the draft: it must see there what it would have written.
bool Worker::follows_draft(const Job& job) const {
  const bool same_as_decoded =
      options_.cache_semantics == CacheSemantics::kPerStep || job.program->length() == job.program->unique_depth();
  return options_.draft_verification && same_as_decoded;
}

/// Tokens of the reference that run behind the prompt in the same pass.
std::size_t Worker::draft_tokens(const Job& job) const {
  if (is_scored(job)) return job.example->draft.tokens.size();
  const bool verifies = job.request != nullptr && job.request->rules->stop == StopRule::kVerdict && follows_draft(job);
  return verifies ? std::min(kUnscoredDraftTokens, job.example->draft.tokens.size()) : 0;
}

std::vector<text::Token> Worker::sequence_of(const Job& job) const {
  std::vector<text::Token> tokens = job.example->prompt;
  const auto& draft = job.example->draft.tokens;
  tokens.insert(tokens.end(), draft.begin(), draft.begin() + static_cast<std::ptrdiff_t>(draft_tokens(job)));
  return tokens;
}

std::size_t Worker::admit(std::span<const Job> jobs, const std::vector<text::Token>& shared_prompt) {
  std::size_t admitted = 0;
  for (const Job& job : jobs) {
    if (!in_flight_.empty() && cache_.held_bytes() + tail_bytes_ >= wave_bytes_) break;
    auto path = std::make_unique<Path>();
    path->job = job;
    place(*path, shared_prompt);
    walk(*path);
    if (job.request != nullptr) {
      path->generation = std::make_unique<Generation>(*job.request, tokenizer_, pool_.manifest().eos_ids);
      path->tail_bytes = path->nodes.size() * storage_->kv_bytes(tail_rows(job));
      tail_bytes_ += path->tail_bytes;
    }
    in_flight_.push_back(std::move(path));
    ++admitted;
  }
  if (admitted > 0) ++stats_.waves;
  stats_.peak_bytes = std::max(stats_.peak_bytes, cache_.held_bytes() + cache_.idle_bytes() + tail_bytes_);
  return admitted;
}

/// Frees the trials that have finished, and what the cache has no room for.
void Worker::retire() {
  std::erase_if(in_flight_, [this](const std::unique_ptr<Path>& path) {
    if (!path->finished) return false;
    tail_bytes_ -= path->tail_bytes;
    for (Node* node : std::views::reverse(path->nodes)) cache_.release(*node);  // children before their parents
    cache_.release(path->tree->root);
    return true;
  });
  const PrefixCache::Evicted evicted = cache_.evict();
  stats_.evicted_nodes += evicted.nodes;
  stats_.evicted_bytes += evicted.bytes;
  stats_.peak_idle_bytes = std::max(stats_.peak_idle_bytes, cache_.idle_bytes());
}

/// Finds or makes the trees of the path's sequence.
void Worker::place(Path& path, const std::vector<text::Token>& shared_prompt) {
  std::vector<text::Token> tokens = sequence_of(path.job);
  // At least the prompt's last token must be the sequence's own: its row is read.
  const bool behind_shared = options_.shared_prompt && !shared_prompt.empty() &&
                             path.job.example->prompt.size() > shared_prompt.size() &&
                             std::equal(shared_prompt.begin(), shared_prompt.end(), tokens.begin());
  const std::vector<text::Token> shared = behind_shared ? shared_prompt : std::vector<text::Token>();
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(shared.size()));
  const auto tree_of = [&](const std::vector<text::Token>& before, const std::vector<text::Token>& own, bool& made) {
    made = true;
    return options_.prefix_sharing ? &cache_.tree(before, own, made) : &cache_.own_tree(before, own);
  };
  bool made = false, base_made = false;
  path.tree = tree_of(shared, tokens, made);
  cache_.hold(path.tree->root);
  if (!made) return;
  fill_root(path.tree->root);
  if (!behind_shared) return;
  path.tree->base = tree_of({}, shared, base_made);
  cache_.set_base(path.tree->root, &path.tree->base->root);
  if (base_made) fill_root(path.tree->base->root);
}

void Worker::fill_root(Node& root) {
  const PrefixTree& tree = *root.tree;
  const at::Tensor tokens = at::tensor(std::vector<std::int64_t>(tree.tokens.begin(), tree.tokens.end()), at::kLong);
  const at::Tensor rows = pool_.embed(tokens).contiguous();
  const HiddenTarget target{tree.rows(), &root.hidden};
  storage_->store(rows, 0, std::span(&target, 1));
  root.state = Node::State::kDone;
  cache_.set_bytes(root, root.hidden->bytes() + sizeof(PrefixTree));
}

/// Makes the missing nodes of the path's program, and of the shared prompt's; queues what can run.
void Worker::walk(Path& path) {
  Node* node = &path.tree->root;
  Node* base = path.tree->base != nullptr ? &path.tree->base->root : nullptr;
  for (int layer : path.job.program->layers()) {
    if (base != nullptr) {
      Node* next_base = base->child(layer);
      if (next_base == nullptr) add_node(*base, *(next_base = &base->add_child(layer)), nullptr);
      base = next_base;
    }
    Node* next = node->child(layer);
    if (next == nullptr) {
      add_node(*node, *(next = &node->add_child(layer)), base);
    } else {
      ++stats_.shared_nodes;
    }
    cache_.hold(*next);
    node = next;
    path.nodes.push_back(node);
  }
  require_rows(*node, first_read_row(path));
  if (path.job.states != nullptr && base != nullptr) require_rows(*base, 0);
  if (node->state == Node::State::kDone) {
    arrived_.push_back(&path);
  } else {
    node->paths.push_back(&path);
  }
}

void Worker::add_node(Node& parent, Node& node, Node* base) {
  require_rows(parent, 0);
  cache_.set_base(node, base);
  cache_.set_bytes(node, node_bytes(node.tree->rows()));
  queue(node);
}

/// A node that was finished for fewer rows than somebody needs now runs again; keys and values come out the same.
void Worker::require_rows(Node& node, int from) {
  node.needed_from = std::min(node.needed_from, from);
  if (node.state != Node::State::kDone || node.needed_from >= node.kept_from) return;
  node.state = Node::State::kNew;
  queue(node);
}

/// Queues a new node once its parent is done and its base is at least queued: within a layer the queue keeps its order,
/// so the base runs in the same batch or an earlier one.
void Worker::queue(Node& node) {
  if (node.state != Node::State::kNew || node.parent->state != Node::State::kDone) return;
  if (node.base != nullptr && node.base->state == Node::State::kNew) {
    node.base->waiters.push_back(&node);
    return;
  }
  node.state = Node::State::kQueued;
  waiting_[static_cast<std::size_t>(node.layer)].push_back({&node, nullptr});
  for (Node* waiter : std::exchange(node.waiters, {})) queue(*waiter);
}

}  // namespace polar::exec
