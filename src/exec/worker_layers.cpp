// Worker: rows that wait for the same layer run together.

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "exec/worker.h"

namespace polar::exec {

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
    if (path.nodes[step]->layer == path.nodes[own]->layer) executions.push_back({path.nodes[step], &path.tails[step]});
  }
}

void Worker::attend(int layer, std::span<const Item> items, const std::byte* q, std::byte* mixed) {
  const pool::Attention& attention = pool_.manifest().attention[static_cast<std::size_t>(layer)];
  const std::size_t row_bytes = static_cast<std::size_t>(shape_.heads * shape_.head_size) * shape_.element_bytes();
  const auto span_of = [](const KvRows& kv, int rows) { return KvSpan{kv.keys(), kv.values(), rows}; };
  std::vector<Execution> executions;
  std::vector<KvSpan> spans;
  for (const Item& item : items) {
    find_executions(item, executions);
    const int first = kept_from(item), end = item_rows(item);
    // The next row sees one key more of the last span; of several executions it sees one more of each.
    const int together = executions.size() == 1 ? end - first : 1;
    q += static_cast<std::size_t>(first) * row_bytes;
    for (int row = first; row < end; row += together) {
      spans.clear();
      for (const auto& [node, tail] : executions) {
        if (node->base != nullptr) spans.push_back(span_of(node->base->kv, node->base->kv.rows()));
        spans.push_back(span_of(node->kv, tail != nullptr ? item.path->kept_rows : row + 1));
        if (tail != nullptr) spans.push_back(span_of(*tail, tail->rows()));
      }
      kernel_.attend(attention, q, together, spans, mixed);
      q += static_cast<std::size_t>(together) * row_bytes;
      mixed += static_cast<std::size_t>(together) * row_bytes;
    }
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

}  // namespace polar::exec
