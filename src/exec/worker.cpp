#include "exec/worker.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <ranges>
#include <unordered_map>

#include "core/seed.h"

namespace polar::exec {
namespace {

/// Rows of one layer that run at once where calls are padded: larger batches pad less. Where they are not, smaller ones
/// stay within the processor's cache.
constexpr int kBatchRows = 4096;

at::ScalarType scalar_type(pool::DType dtype) {
  return dtype == pool::DType::kBFloat16 ? at::kBFloat16 : at::kFloat;
}

std::byte* bytes_of(const at::Tensor& tensor) {
  return static_cast<std::byte*>(tensor.data_ptr());
}

double milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

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

bool is_scored(const Job& job) {
  return job.request != nullptr && job.request->score_reference && !job.example->draft.tokens.empty();
}

/// Without a score only the draft's beginning is worth running ahead: most programs leave it there, and the few that do
/// not decode the rest.
constexpr std::size_t kUnscoredDraftTokens = 1;

/// First row of the path's tree that is read when its program ends; for states all are.
int first_read_row(const Path& path) {
  if (path.job.request == nullptr) return 0;
  return static_cast<int>(path.job.example->prompt.size()) - 1 - path.tree->first_position();
}

}  // namespace

bool in_trie_order(const Job& a, const Job& b) {
  return std::ranges::lexicographical_compare(a.program->layers(), b.program->layers());
}

Worker::Worker(const pool::ModulePool& pool, const text::Tokenizer& tokenizer, const RowPlan& plan,
               const ExecOptions& options, std::size_t cache_bytes, std::size_t wave_bytes)
    : pool_(pool),
      tokenizer_(tokenizer),
      plan_(plan),
      options_(options),
      shape_{pool.manifest().heads, pool.manifest().kv_heads, pool.manifest().head_size, pool.dtype()},
      row_bytes_(static_cast<std::size_t>(pool.manifest().hidden) * shape_.element_bytes()),
      wave_bytes_(wave_bytes),
      batch_rows_(plan.layer.any ? plan.layer.full : kBatchRows),
      kernel_(shape_),
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

// --- Admission ------------------------------------------------------------------------------------------------------

std::size_t Worker::node_bytes(int rows) const {
  return static_cast<std::size_t>(rows) * row_bytes_ + shape_.kv_bytes(rows) + sizeof(Node);
}

/// Tokens of the reference that run behind the prompt in the same pass.
std::size_t Worker::draft_tokens(const Job& job) const {
  if (is_scored(job)) return job.example->draft.tokens.size();
  const bool verifies =
      options_.draft_verification && job.request != nullptr && job.request->rules->stop == StopRule::kVerdict;
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
      path->tail_bytes = path->nodes.size() * shape_.kv_bytes(std::max(0, job.request->rules->max_new_tokens - 1));
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
  stats_.evicted_nodes += cache_.evict();
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
  root.hidden = Buffer(static_cast<std::size_t>(tree.rows()) * row_bytes_);
  std::memcpy(root.hidden.data(), bytes_of(rows), static_cast<std::size_t>(tree.rows()) * row_bytes_);
  root.state = Node::State::kDone;
  cache_.set_bytes(root, root.hidden.bytes() + sizeof(PrefixTree));
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

// --- Layers ---------------------------------------------------------------------------------------------------------

int Worker::item_rows(const Item& item) const {
  return item.node != nullptr ? item.node->tree->rows() : 1;
}

int Worker::first_position(const Item& item) const {
  if (item.node != nullptr) return item.node->tree->first_position();
  return item.path->tree->first_position() + item.path->kept_rows +
         item.path->tails[static_cast<std::size_t>(item.path->step)].rows();
}

/// Runs the rows that wait for the lowest layer. Those that went back for a repetition catch up with the others this
/// way, and all go on together.
bool Worker::run_lowest_layer() {
  for (std::size_t layer = 0; layer < waiting_.size(); ++layer) {
    if (waiting_[layer].empty()) continue;
    const std::vector<Item> items = std::exchange(waiting_[layer], {});
    for (std::size_t first = 0; first < items.size();) {
      std::size_t end = first;
      int rows = 0;
      while (end < items.size() &&
             (end == first || (options_.layer_batching && rows + item_rows(items[end]) <= batch_rows_))) {
        rows += item_rows(items[end++]);
      }
      run_layer(static_cast<int>(layer), std::span(items).subspan(first, end - first));
      first = end;
    }
    return true;
  }
  return false;
}

/// Rows before it need no output: nothing runs behind the node, and no program that ends there reads them.
int Worker::kept_from(const Item& item) const {
  if (!options_.read_rows_only || item.node == nullptr || !item.node->children.empty()) return 0;
  return item.node->needed_from;
}

std::vector<int> Worker::calls_for(int rows) const {
  return plan_.invariant ? plan_.layer.cut(rows) : std::vector<int>{rows};
}

void Worker::gather(std::span<const Item> items, std::byte* hidden, std::int64_t* positions, bool kept_only) const {
  for (const Item& item : items) {
    const int first = kept_only ? kept_from(item) : 0, rows = item_rows(item) - first;
    const Buffer& from = item.node != nullptr ? item.node->parent->hidden : item.path->hidden;
    std::memcpy(hidden, from.data() + static_cast<std::size_t>(first) * row_bytes_,
                static_cast<std::size_t>(rows) * row_bytes_);
    hidden += static_cast<std::size_t>(rows) * row_bytes_;
    for (int row = 0; positions != nullptr && row < rows; ++row) *positions++ = first_position(item) + row;
  }
}

/// Queries, keys and values of all rows; keys and values go to their owners.
void Worker::project(int layer, std::span<const Item> items, const at::Tensor& hidden, const at::Tensor& positions,
                     at::Tensor& queries) {
  const std::size_t kv_bytes = static_cast<std::size_t>(shape_.kv_heads * shape_.head_size) * shape_.element_bytes();
  const std::vector<int> calls = calls_for(static_cast<int>(hidden.size(0)));
  std::vector<at::Tensor> parts;
  std::size_t item = 0;
  int item_row = 0, start = 0;
  for (int call : calls) {
    auto [q, k, v] = pool_.attend_in(layer, hidden.narrow(0, start, call), positions.narrow(0, start, call));
    parts.push_back(q);
    k = k.contiguous(), v = v.contiguous();
    for (int row = 0; row < call && item < items.size(); ++row) {
      const Item& owner = items[item];
      if (owner.node != nullptr && item_row == 0) owner.node->kv = KvRows(shape_, owner.node->tree->rows());
      KvRows& kv =
          owner.node != nullptr ? owner.node->kv : owner.path->tails[static_cast<std::size_t>(owner.path->step)];
      kv.append(shape_, bytes_of(k) + static_cast<std::size_t>(row) * kv_bytes,
                bytes_of(v) + static_cast<std::size_t>(row) * kv_bytes);
      if (++item_row == item_rows(owner)) ++item, item_row = 0;
    }
    start += call;
  }
  queries = parts.size() == 1 ? parts.front().contiguous() : at::cat(parts);
}

void Worker::run_layer(int layer, std::span<const Item> items) {
  const auto padded = [&](int rows) {
    const std::vector<int> calls = calls_for(rows);
    return std::accumulate(calls.begin(), calls.end(), 0);
  };
  int rows = 0, kept = 0;
  for (const Item& item : items) {
    rows += item_rows(item);
    if (item.path != nullptr) ++stats_.decoded_rows;
    kept += item_rows(item) - kept_from(item);
  }
  stats_.layer_rows += static_cast<std::uint64_t>(rows);
  stats_.unread_rows += static_cast<std::uint64_t>(rows - kept);
  stats_.padded_layer_rows += static_cast<std::uint64_t>(padded(rows));
  ++stats_.layer_calls;

  // 1. Rows of all items, packed; padding rows are zero.
  const auto type = scalar_type(shape_.dtype);
  const auto packed = [&](int count, int width) {
    return padded(count) == count ? at::empty({count, width}, type) : at::zeros({padded(count), width}, type);
  };
  at::Tensor hidden = packed(rows, pool_.manifest().hidden);
  const at::Tensor positions = at::zeros({hidden.size(0)}, at::kLong);
  gather(items, bytes_of(hidden), positions.data_ptr<std::int64_t>(), false);

  // 2. Queries, keys and values.
  at::Tensor queries;
  project(layer, items, hidden, positions, queries);
  if (kept == 0) {
    scatter(items, nullptr);
    return finish_items(items);
  }

  // 3. Attention, row by row, of the rows that go on.
  const at::Tensor mixed = packed(kept, shape_.heads * shape_.head_size);
  attend(layer, items, bytes_of(queries), bytes_of(mixed));

  // 4. Output projection and feed-forward.
  if (kept < rows) {
    hidden = packed(kept, pool_.manifest().hidden);
    gather(items, bytes_of(hidden), nullptr, true);
  }
  std::vector<at::Tensor> parts;
  int start = 0;
  for (int call : calls_for(kept)) {
    parts.push_back(pool_.attend_out(layer, hidden.narrow(0, start, call), mixed.narrow(0, start, call)));
    start += call;
  }
  const at::Tensor out = parts.size() == 1 ? parts.front().contiguous() : at::cat(parts);

  // 5. Rows go back to their owners, and these on to their next layer.
  scatter(items, bytes_of(out));
  finish_items(items);
}

void Worker::attend(int layer, std::span<const Item> items, const std::byte* q, std::byte* mixed) {
  const pool::Attention& attention = pool_.manifest().attention[static_cast<std::size_t>(layer)];
  const std::size_t row_bytes = static_cast<std::size_t>(shape_.heads * shape_.head_size) * shape_.element_bytes();
  const auto span_of = [](const KvRows& kv, int rows) { return KvSpan{kv.keys(), kv.values(), rows}; };
  for (const Item& item : items) {
    const Node* node = item.node != nullptr ? item.node : item.path->nodes[static_cast<std::size_t>(item.path->step)];
    std::vector<KvSpan> spans;
    if (node->base != nullptr) spans.push_back(span_of(node->base->kv, node->base->kv.rows()));
    const int first = kept_from(item);
    if (item.node != nullptr) {
      spans.push_back(span_of(node->kv, first));
    } else {
      const KvRows& tail = item.path->tails[static_cast<std::size_t>(item.path->step)];
      spans.push_back(span_of(node->kv, item.path->kept_rows));
      spans.push_back(span_of(tail, tail.rows() - 1));
    }
    q += static_cast<std::size_t>(first) * row_bytes;
    const int rows = item_rows(item) - first;
    if (rows == 0) continue;
    ++spans.back().rows;
    kernel_.attend(attention, q, rows, spans, mixed);
    q += static_cast<std::size_t>(rows) * row_bytes;
    mixed += static_cast<std::size_t>(rows) * row_bytes;
  }
}

void Worker::scatter(std::span<const Item> items, const std::byte* hidden) {
  for (const Item& item : items) {
    const int first = kept_from(item);
    const std::size_t bytes = static_cast<std::size_t>(item_rows(item) - first) * row_bytes_;
    Buffer& to = item.node != nullptr ? item.node->hidden : item.path->hidden;
    if (item.node != nullptr || !to) to = Buffer(bytes);
    if (item.node != nullptr) item.node->kept_from = first;
    if (bytes == 0) continue;
    std::memcpy(to.data(), hidden, bytes);
    hidden += bytes;
  }
}

void Worker::finish_items(std::span<const Item> items) {
  for (const Item& item : items) {
    if (item.node != nullptr) {
      item.node->state = Node::State::kDone;
      cache_.set_bytes(*item.node, item.node->hidden.bytes() + item.node->kv.bytes() + sizeof(Node));
      ++stats_.computed_nodes;
      for (auto& child : item.node->children) queue(*child);
      for (Path* path : std::exchange(item.node->paths, {})) arrived_.push_back(path);
      continue;
    }
    Path& path = *item.path;
    if (++path.step == path.job.program->length()) {
      arrived_.push_back(&path);
    } else {
      waiting_[(*path.job.program)[static_cast<std::size_t>(path.step)]].push_back({nullptr, &path});
    }
  }
}

// --- Heads and generation -------------------------------------------------------------------------------------------

int Worker::reading_count(const Path& path) const {
  return path.decoding ? 1 : static_cast<int>(draft_tokens(path.job)) + 1;
}

Required Worker::required_at(const Path& path, int index) const {
  if (path.decoding || !is_scored(path.job)) return {};
  const Draft& draft = path.job.example->draft;
  if (index < static_cast<int>(draft.tokens.size())) return {draft.tokens[static_cast<std::size_t>(index)], nullptr};
  return {-1, draft.terminators.get()};
}

Draw Worker::draw_at(const Path& path, int index) const {
  const Request& request = *path.job.request;
  if (request.temperature <= 0) return {};
  const auto generated = static_cast<std::int64_t>(path.generation->length()) + index;
  const std::string stream =
      path.job.example->id + '\n' + request.program.text() + '\n' + std::to_string(request.sample_index);
  return {request.temperature, core::derive_seed(options_.seed, "sampling", stream),
          static_cast<std::int64_t>(path.job.example->prompt.size()) + generated};
}

void Worker::read_heads() {
  std::vector<Path*> paths = std::exchange(arrived_, {});
  for (Path* path : paths) {
    if (path->job.states == nullptr) continue;
    copy_states(*path);
    path->finished = true;
  }
  std::erase_if(paths, [](const Path* path) { return path->job.states != nullptr; });
  const std::vector<RowReading> readings = read_rows(paths);
  std::size_t at = 0;
  for (Path* path : paths) {
    const auto count = static_cast<std::size_t>(reading_count(*path));
    if (path->decoding) {
      take_decoded(*path, readings[at]);
    } else {
      take_prefill(*path, std::span(readings).subspan(at, count));
    }
    at += count;
  }
}

/// Runs the head on every row that is read, in calls of fixed row counts, and reads each row of logits as it comes.
std::vector<RowReading> Worker::read_rows(std::span<Path* const> paths) {
  struct Row {
    const Path* path;
    int index;
    const std::byte* hidden;
  };
  std::vector<Row> rows;
  for (const Path* path : paths) {
    const Buffer& hidden = path->decoding ? path->hidden : path->nodes.back()->hidden;
    const int first = path->decoding ? 0 : first_read_row(*path) - path->nodes.back()->kept_from;
    for (int i = 0; i < reading_count(*path); ++i)
      rows.push_back({path, i, hidden.data() + static_cast<std::size_t>(first + i) * row_bytes_});
  }
  std::vector<RowReading> readings(rows.size());
  const auto count = static_cast<int>(rows.size());
  stats_.head_rows += rows.size();
  int start = 0;
  for (int call : plan_.head.cut(count)) {
    const int used = std::min(call, count - start);
    at::Tensor chunk = at::zeros({plan_.invariant ? call : used, pool_.manifest().hidden}, scalar_type(shape_.dtype));
    for (int i = 0; i < used; ++i) {
      std::memcpy(bytes_of(chunk) + static_cast<std::size_t>(i) * row_bytes_,
                  rows[static_cast<std::size_t>(start + i)].hidden, row_bytes_);
    }
    const at::Tensor logits = pool_.head(chunk).contiguous();
    const auto vocabulary = static_cast<std::size_t>(logits.size(1));
    for (int i = 0; i < used; ++i) {
      const Row& row = rows[static_cast<std::size_t>(start + i)];
      const std::span<const float> values(logits.data_ptr<float>() + static_cast<std::size_t>(i) * vocabulary,
                                          vocabulary);
      readings[static_cast<std::size_t>(start + i)] =
          read_row(values, required_at(*row.path, row.index), draw_at(*row.path, row.index));
    }
    start += used;
  }
  return readings;
}

/// Scores the draft, then follows it as long as the model would have written it; where the model's token differs,
/// decoding goes on from there.
void Worker::take_prefill(Path& path, std::span<const RowReading> readings) {
  Answer& answer = *path.job.answer;
  answer.prefill_ms = milliseconds(std::chrono::steady_clock::now() - started_);
  if (is_scored(path.job)) {
    const Draft& draft = path.job.example->draft;
    const std::size_t scored = draft.tokens.size() + (draft.terminators ? 1 : 0);
    answer.margin = readings[0].margin;
    for (const RowReading& reading : readings.first(scored)) {
      answer.answer_log_prob += reading.required_log_prob;
      answer.margin = std::min(answer.margin, reading.margin);
    }
    answer.scored_positions = static_cast<int>(scored);
  }
  std::size_t accepted = 0;
  while (true) {
    if (path.generation->append(readings[accepted])) return finish(path);
    const bool follows = options_.draft_verification && accepted + 1 < readings.size() &&
                         readings[accepted].next == path.job.example->draft.tokens[accepted];
    if (!follows) break;
    ++accepted;
  }
  path.kept_rows = static_cast<int>(path.job.example->prompt.size() + accepted) - path.tree->first_position();
  path.tails.resize(path.nodes.size());
  path.decoding = true;
  to_decode_.push_back(&path);
}

void Worker::take_decoded(Path& path, const RowReading& reading) {
  if (path.generation->append(reading)) return finish(path);
  to_decode_.push_back(&path);
}

/// The last token of every unfinished path becomes the hidden row of its first program step.
void Worker::start_decoding() {
  const std::vector<Path*> paths = std::exchange(to_decode_, {});
  if (paths.empty()) return;
  std::vector<std::int64_t> tokens;
  for (const Path* path : paths) tokens.push_back(path->generation->last());
  const at::Tensor rows = pool_.embed(at::tensor(tokens, at::kLong)).contiguous();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    Path& path = *paths[i];
    if (!path.hidden) path.hidden = Buffer(row_bytes_);
    std::memcpy(path.hidden.data(), bytes_of(rows) + i * row_bytes_, row_bytes_);
    path.step = 0;
    waiting_[(*path.job.program)[0]].push_back({nullptr, &path});
  }
}

void Worker::finish(Path& path) {
  Answer& answer = *path.job.answer;
  path.generation->finish(answer);
  answer.decode_ms = milliseconds(std::chrono::steady_clock::now() - started_) - answer.prefill_ms;
  path.finished = true;
}

void Worker::copy_states(Path& path) {
  States& states = *path.job.states;
  const int width = pool_.manifest().hidden;
  const Node& last = path.nodes.empty() ? path.tree->root : *path.nodes.back();
  states.width = width;
  const auto from =
      at::from_blob(const_cast<std::byte*>(last.hidden.data()), {path.tree->rows(), width}, scalar_type(shape_.dtype));
  const at::Tensor values = from.to(at::kFloat).contiguous();
  states.tokens = path.tree->rows();
  states.values.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
}

}  // namespace polar::exec
