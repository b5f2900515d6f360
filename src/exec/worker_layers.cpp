// Worker: rows that wait for the same layer run together.

#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "exec/worker.h"
#include "pool/device.h"

namespace polar::exec {

int Worker::item_rows(const Item& item) const {
  return item.node != nullptr ? item.node->tree->rows() : 1;
}

KeyValues& Worker::own_kv(const Item& item) const {
  return item.node != nullptr ? *item.node->kv : *item.path->tails[static_cast<std::size_t>(item.path->step)];
}

int Worker::first_position(const Item& item) const {
  if (item.node != nullptr) return item.node->tree->first_position();
  return item.path->tree->first_position() + item.path->kept_rows + own_kv(item).rows();
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

/// Rows of calls_for(rows) together.
int Worker::padded(int rows) const {
  const std::vector<int> calls = calls_for(rows);
  return std::accumulate(calls.begin(), calls.end(), 0);
}

/// Hidden rows of all items, or of those that go on, packed; rows behind them are zero.
at::Tensor Worker::gather(std::span<const Item> items, int rows, bool kept_only) const {
  std::vector<HiddenSpan> spans;
  for (const Item& item : items) {
    const HiddenRows* from = (item.node != nullptr ? item.node->parent->hidden : item.path->hidden).get();
    const int first = kept_only ? kept_from(item) : 0;
    spans.push_back({from, first, item_rows(item) - first});
  }
  return storage_->gather(spans, rows);
}

at::Tensor Worker::positions_of(std::span<const Item> items, int rows) const {
  std::vector<std::int64_t> positions;
  for (const Item& item : items) {
    const int first = first_position(item), end = first + item_rows(item);
    for (int position = first; position < end; ++position) positions.push_back(position);
  }
  positions.resize(static_cast<std::size_t>(rows), 0);
  return pool::indices_on(pool_.device(), positions);
}

/// Queries, keys and values of all rows; keys and values go to their owners.
void Worker::project(int layer, std::span<const Item> items, const at::Tensor& hidden, const at::Tensor& positions,
                     at::Tensor& queries) const {
  std::vector<at::Tensor> parts;
  std::vector<KeyTarget> targets;
  std::size_t item = 0;
  int item_row = 0, start = 0;
  for (int call : calls_for(static_cast<int>(hidden.size(0)))) {
    auto [q, k, v] = pool_.attend_in(layer, hidden.narrow(0, start, call), positions.narrow(0, start, call));
    parts.push_back(q);
    targets.clear();
    for (int row = 0; row < call && item < items.size();) {
      const Item& owner = items[item];
      if (owner.node != nullptr && item_row == 0) owner.node->kv = storage_->key_values(item_rows(owner));
      const int count = std::min(call - row, item_rows(owner) - item_row);
      targets.push_back({count, &own_kv(owner)});
      row += count;
      item_row += count;
      if (item_row == item_rows(owner)) ++item, item_row = 0;
    }
    storage_->append(k.contiguous(), v.contiguous(), 0, targets);
    start += call;
  }
  queries = parts.size() == 1 ? parts.front().contiguous() : at::cat(parts);
}

void Worker::run_layer(int layer, std::span<const Item> items) {
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

  // 1. Rows of all items.
  at::Tensor hidden = gather(items, padded(rows), false);

  // 2. Queries, keys and values.
  at::Tensor queries;
  project(layer, items, hidden, positions_of(items, padded(rows)), queries);
  if (kept == 0) {
    scatter(items, hidden);
    return finish_items(items);
  }

  // 3. Attention, row by row, of the rows that go on; padding rows are zero.
  const std::int64_t width = queries.size(1) * queries.size(2);
  const at::Tensor mixed = padded(kept) == kept ? at::empty({kept, width}, queries.options())
                                                : at::zeros({padded(kept), width}, queries.options());
  attend(layer, items, queries, mixed);

  // 4. Output projection and feed-forward.
  if (kept < rows) hidden = gather(items, padded(kept), true);
  std::vector<at::Tensor> parts;
  int start = 0;
  for (int call : calls_for(kept)) {
    parts.push_back(pool_.attend_out(layer, hidden.narrow(0, start, call), mixed.narrow(0, start, call)));
    start += call;
  }
  const at::Tensor out = parts.size() == 1 ? parts.front().contiguous() : at::cat(parts);

  // 5. Rows go back to their owners, and these on to their next layer.
  scatter(items, out);
  finish_items(items);
}

/// The item's own execution of its layer, and with one slot a layer all that the slot holds so far.
void Worker::find_executions(const Item& item, std::vector<Execution>& executions) const {
  executions.clear();
  const bool shared = options_.cache_semantics == CacheSemantics::kSharedSlot;
  if (item.node != nullptr) {
    for (const Node* node = item.node->parent; shared && node != nullptr; node = node->parent) {
      if (node->layer == item.node->layer) executions.push_back({node, nullptr});
    }
    std::ranges::reverse(executions);
    executions.push_back({item.node, nullptr});
    return;
  }
  const Path& path = *item.path;
  const auto own = static_cast<std::size_t>(path.step);
  for (std::size_t step = shared ? 0 : own; step < (shared ? path.nodes.size() : own + 1); ++step) {
    if (path.nodes[step]->layer == path.nodes[own]->layer)
      executions.push_back({path.nodes[step], path.tails[step].get()});
  }
}

void Worker::attend(int layer, std::span<const Item> items, const at::Tensor& queries, const at::Tensor& mixed) {
  std::vector<Execution> executions;
  std::vector<KeySpan> keys;        // of all calls
  std::vector<std::size_t> starts;  // of each call's keys
  std::vector<AttendCall> calls;
  int query = 0, to = 0;
  for (const Item& item : items) {
    find_executions(item, executions);
    const int first = kept_from(item), end = item_rows(item);
    // The next row sees one key more of the last span; of several executions it sees one more of each.
    const int together = executions.size() == 1 ? end - first : 1;
    for (int row = first; row < end; row += together) {
      starts.push_back(keys.size());
      for (const auto& [node, tail] : executions) {
        if (node->base != nullptr) keys.push_back({node->base->kv.get(), node->base->kv->rows()});
        keys.push_back({node->kv.get(), tail != nullptr ? item.path->kept_rows : row + 1});
        if (tail != nullptr) keys.push_back({tail, tail->rows()});
      }
      calls.push_back({query + row, together, {}, to});
      to += together;
    }
    query += end;
  }
  starts.push_back(keys.size());
  for (std::size_t i = 0; i < calls.size(); ++i)
    calls[i].keys = std::span(keys).subspan(starts[i], starts[i + 1] - starts[i]);
  storage_->attend(pool_.manifest().attention[static_cast<std::size_t>(layer)], queries, mixed, calls);
}

void Worker::scatter(std::span<const Item> items, const at::Tensor& rows) {
  std::vector<HiddenTarget> targets;
  for (const Item& item : items) {
    const int first = kept_from(item);
    targets.push_back({item_rows(item) - first, item.node != nullptr ? &item.node->hidden : &item.path->hidden});
    if (item.node != nullptr) item.node->kept_from = first;
  }
  storage_->store(rows, 0, targets);
}

void Worker::finish_items(std::span<const Item> items) {
  for (const Item& item : items) {
    if (item.node != nullptr) {
      item.node->state = Node::State::kDone;
      cache_.set_bytes(*item.node, item.node->hidden->bytes() + item.node->kv->bytes() + sizeof(Node));
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

}  // namespace polar::exec
