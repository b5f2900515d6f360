#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <map>

#include "exec/storage.h"
#include "pool/device.h"

namespace polar::exec {
namespace {

/// Consecutive positions of one sequence attend as one block of queries, placed by the position of their last key, to
/// keys padded to kFewestKeys or a power of two above. A product holds as many blocks as make kKeyRows rows of keys: a
/// row takes part in products of the same shapes whatever runs beside it. Other numbers give other bits:
/// kTensorRevision.
constexpr int kQueries = 16, kFewestKeys = 64, kKeyRows = 8192, kKeyRowsOnCpu = 512;

/// Row 0 of an arena is zero for ever, and stands for padding.
constexpr std::int64_t kZeroRow = 0;

/// Rows [capacity, width] in one tensor, handed out one by one, so that one operator reads or writes rows of many
/// owners.
class RowArena {
 public:
  RowArena(std::int64_t width, const at::TensorOptions& options) : width_(width), options_(options) {}

  const at::Tensor& rows() const { return rows_; }
  std::size_t bytes(std::size_t count) const {
    return count * static_cast<std::size_t>(width_) * options_.dtype().itemsize();
  }

  /// Their content is undefined.
  void take(int count, std::vector<std::int64_t>& to) {
    if (free_.size() < static_cast<std::size_t>(count)) grow(count);
    to.insert(to.end(), free_.end() - count, free_.end());
    free_.resize(free_.size() - static_cast<std::size_t>(count));
  }
  void give_back(const std::vector<std::int64_t>& taken) { free_.insert(free_.end(), taken.begin(), taken.end()); }

 private:
  void grow(std::int64_t by) {
    constexpr std::int64_t kFewestRows = 256;
    const std::int64_t used = rows_.defined() ? rows_.size(0) : 0;
    const std::int64_t capacity = std::max({kFewestRows, used + used / 2, used + by + 1});
    const at::Tensor larger = at::empty({capacity, width_}, options_);
    if (used > 0) {
      larger.narrow(0, 0, used).copy_(rows_);
    } else {
      larger[kZeroRow].zero_();
    }
    free_.reserve(static_cast<std::size_t>(capacity));  // so that giving back never allocates
    rows_ = larger;
    for (std::int64_t row = capacity - 1; row >= std::max(used, kZeroRow + 1); --row) free_.push_back(row);
  }

  std::int64_t width_;
  at::TensorOptions options_;
  at::Tensor rows_;
  std::vector<std::int64_t> free_;
};

/// Rows of an arena, given back with their owner.
struct TakenRows {
  explicit TakenRows(std::shared_ptr<RowArena> from) : arena(std::move(from)) {}
  TakenRows(const TakenRows&) = delete;
  TakenRows& operator=(const TakenRows&) = delete;
  ~TakenRows() { arena->give_back(rows); }
  std::size_t bytes() const { return arena->bytes(rows.size()); }

  std::shared_ptr<RowArena> arena;
  std::vector<std::int64_t> rows;
};

struct TensorHiddenRows final : HiddenRows {
  explicit TensorHiddenRows(std::shared_ptr<RowArena> arena) : taken(std::move(arena)) {}
  std::size_t bytes() const override { return taken.bytes(); }
  TakenRows taken;
};

struct TensorKeyValues final : KeyValues {
  explicit TensorKeyValues(std::shared_ptr<RowArena> arena) : taken(std::move(arena)) {}
  int rows() const override { return static_cast<int>(taken.rows.size()); }
  std::size_t bytes() const override { return taken.bytes(); }
  TakenRows taken;
};

/// Blocks of queries that see as many keys, padding counted.
struct Blocks {
  explicit Blocks(int padded_keys) : keys(padded_keys) {}
  int count() const { return static_cast<int>(first_position.size()); }

  int keys;
  std::vector<std::int64_t> key_rows;        ///< of the arena; [count, keys]
  std::vector<std::int64_t> queries;         ///< rows of the call's queries; [count, kQueries]
  std::vector<std::int64_t> first_position;  ///< last key of each block's first place; [count]
  std::vector<std::int64_t> filled, to;      ///< places [count · kQueries] that hold a row, and where their result goes
};

class TensorStorage final : public Storage {
 public:
  explicit TensorStorage(const pool::ModulePool& pool)
      : heads_(pool.manifest().heads),
        kv_heads_(pool.manifest().kv_heads),
        head_size_(pool.manifest().head_size),
        device_(pool.device()),
        product_rows_(device_ == "cpu" ? kKeyRowsOnCpu : kKeyRows),
        options_(at::TensorOptions(at::Device(pool.device()))
                     .dtype(pool.dtype() == pool::DType::kBFloat16 ? at::kBFloat16 : at::kFloat)),
        hidden_(std::make_shared<RowArena>(pool.manifest().hidden, options_)),
        key_values_(std::make_shared<RowArena>(2 * kv_heads_ * head_size_, options_)) {}

  std::size_t hidden_bytes(int rows) const override { return hidden_->bytes(static_cast<std::size_t>(rows)); }
  std::size_t kv_bytes(int rows) const override { return key_values_->bytes(static_cast<std::size_t>(rows)); }

  void store(const at::Tensor& rows, int first, std::span<const HiddenTarget> targets) override {
    std::vector<std::int64_t> places;
    for (const auto& [count, to] : targets) {
      if (*to == nullptr) *to = std::make_unique<TensorHiddenRows>(hidden_);
      TakenRows& taken = static_cast<TensorHiddenRows&>(**to).taken;
      if (taken.rows.size() != static_cast<std::size_t>(count)) {
        hidden_->give_back(std::exchange(taken.rows, {}));
        hidden_->take(count, taken.rows);
      }
      places.insert(places.end(), taken.rows.begin(), taken.rows.end());
    }
    write(*hidden_, places, rows.narrow(0, first, static_cast<std::int64_t>(places.size())));
  }

  at::Tensor gather(std::span<const HiddenSpan> spans, int padded_rows) const override {
    std::vector<std::int64_t> places;
    for (const HiddenSpan& span : spans) {
      const auto from = static_cast<const TensorHiddenRows&>(*span.from).taken.rows.begin() + span.first;
      places.insert(places.end(), from, from + span.rows);
    }
    places.resize(static_cast<std::size_t>(padded_rows), kZeroRow);
    return hidden_->rows().index_select(0, on_device(places));
  }

  std::unique_ptr<KeyValues> key_values(int /*rows*/) const override {
    return std::make_unique<TensorKeyValues>(key_values_);
  }
  std::unique_ptr<KeyValues> growing_key_values(int most_rows) const override { return key_values(most_rows); }

  void append(const at::Tensor& k, const at::Tensor& v, int first, std::span<const KeyTarget> targets) override {
    std::vector<std::int64_t> places;
    for (const auto& [count, to] : targets) {
      std::vector<std::int64_t>& rows = static_cast<TensorKeyValues&>(*to).taken.rows;
      key_values_->take(count, rows);
      places.insert(places.end(), rows.end() - count, rows.end());
    }
    const auto count = static_cast<std::int64_t>(places.size());
    const auto rows_of = [&](const at::Tensor& from) { return from.narrow(0, first, count).reshape({count, -1}); };
    write(*key_values_, places, at::cat({rows_of(k), rows_of(v)}, 1));
  }

  void attend(const pool::Attention& attention, const at::Tensor& queries, const at::Tensor& mixed,
              std::span<const AttendCall> calls) override {
    std::map<int, Blocks> blocks;  // by padded keys
    for (const AttendCall& call : calls) add_blocks(call, blocks);
    for (auto& [keys, same] : blocks) {
      const int together = std::max(1, product_rows_ / keys),
                rounded = (same.count() + together - 1) / together * together;
      same.key_rows.resize(static_cast<std::size_t>(rounded) * static_cast<std::size_t>(keys), kZeroRow);
      same.queries.resize(static_cast<std::size_t>(rounded) * kQueries, 0);
      same.first_position.resize(static_cast<std::size_t>(rounded), 0);
      mix(attention, queries, mixed, same, together);
    }
  }

 private:
  at::Tensor on_device(std::span<const std::int64_t> indices) const { return pool::indices_on(device_, indices); }

  void write(RowArena& arena, const std::vector<std::int64_t>& places, const at::Tensor& rows) const {
    if (places.empty()) return;
    arena.rows().index_copy_(0, on_device(places), rows);
  }

  /// Cuts a call where the position of a row's last key passes a multiple of kQueries.
  static void add_blocks(const AttendCall& call, std::map<int, Blocks>& blocks) {
    std::vector<std::int64_t> keys;
    for (const KeySpan& span : call.keys) {
      const auto& rows = static_cast<const TensorKeyValues&>(*span.from).taken.rows;
      const int seen = span.rows + (&span == &call.keys.back() ? call.rows - 1 : 0);
      keys.insert(keys.end(), rows.begin(), rows.begin() + seen);
    }
    const int first_last = static_cast<int>(keys.size()) - call.rows;  // last key that the first row sees
    for (int row = 0; row < call.rows;) {
      const int last = first_last + row, place = last % kQueries, count = std::min(call.rows - row, kQueries - place);
      int padded = kFewestKeys;
      while (padded < last - place + kQueries) padded *= 2;
      Blocks& same = blocks.try_emplace(padded, padded).first->second;
      const std::int64_t start = std::int64_t{same.count()} * kQueries;
      for (int i = 0; i < count; ++i) {
        same.filled.push_back(start + place + i);
        same.to.push_back(call.to + row + i);
      }
      same.queries.resize(static_cast<std::size_t>(start) + kQueries, 0);
      for (int i = 0; i < count; ++i) same.queries[static_cast<std::size_t>(start + place + i)] = call.query + row + i;
      same.first_position.push_back(last - place);
      same.key_rows.insert(same.key_rows.end(), keys.begin(), keys.begin() + last + count);
      same.key_rows.resize(static_cast<std::size_t>(same.count()) * static_cast<std::size_t>(padded), kZeroRow);
      row += count;
    }
  }

  /// All blocks that see as many keys, `together` in a product.
  void mix(const pool::Attention& attention, const at::Tensor& queries, const at::Tensor& mixed, const Blocks& blocks,
           int together) const {
    const int group = heads_ / kv_heads_, keys = blocks.keys;
    const at::Tensor key_rows = on_device(blocks.key_rows), query_rows = on_device(blocks.queries),
                     first = on_device(blocks.first_position), filled = on_device(blocks.filled);
    const at::Tensor key = at::arange(keys, first.options()), place = at::arange(kQueries, first.options());
    std::vector<at::Tensor> results;
    for (int start = 0; start < blocks.count(); start += together) {
      const at::Tensor kv = key_values_->rows()
                                .index_select(0, key_rows.narrow(0, std::int64_t{start} * keys, together * keys))
                                .to(at::kFloat)
                                .view({together, keys, 2, kv_heads_, head_size_})
                                .permute({2, 0, 3, 1, 4})
                                .reshape({2, together * kv_heads_, keys, head_size_});
      const at::Tensor q =
          queries
              .index_select(0, query_rows.narrow(0, std::int64_t{start} * kQueries, std::int64_t{together} * kQueries))
              .to(at::kFloat)
              .view({together, kQueries, kv_heads_, group, head_size_})
              .permute({0, 2, 3, 1, 4})
              .reshape({together * kv_heads_, group * kQueries, head_size_});
      at::Tensor scores = at::bmm(q, kv[0].transpose(1, 2)) * attention.scale;
      if (attention.softcap > 0) scores = attention.softcap * at::tanh(scores / attention.softcap);
      const at::Tensor last = (first.narrow(0, start, together).unsqueeze(1) + place).view({together, 1, kQueries, 1});
      at::Tensor hidden = key > last;
      if (attention.window > 0) hidden = hidden.logical_or(key <= last - attention.window);
      scores =
          scores.view({together, heads_, kQueries, keys}).masked_fill(hidden, -std::numeric_limits<double>::infinity());
      const at::Tensor weights = at::softmax(scores, -1).view({together * kv_heads_, group * kQueries, keys});
      const at::Tensor result = at::bmm(weights, kv[1])
                                    .view({together, kv_heads_, group, kQueries, head_size_})
                                    .permute({0, 3, 1, 2, 4})
                                    .reshape({together * kQueries, heads_ * head_size_});
      // Most places of a decoding row's block are empty: what is kept is cut to the rows.
      const auto place_of = [&](int block) {
        return std::ranges::lower_bound(blocks.filled, std::int64_t{block} * kQueries) - blocks.filled.begin();
      };
      const auto begin = place_of(start), end = place_of(start + together);
      results.push_back(result.index_select(0, filled.narrow(0, begin, end - begin) - std::int64_t{start} * kQueries));
    }
    const at::Tensor result = results.size() == 1 ? results.front() : at::cat(results);
    mixed.index_copy_(0, on_device(blocks.to), result.to(mixed.scalar_type()));
  }

  int heads_, kv_heads_, head_size_;
  std::string device_;
  int product_rows_;
  at::TensorOptions options_;  ///< device and dtype of rows, keys and values
  std::shared_ptr<RowArena> hidden_, key_values_;
};

}  // namespace

std::unique_ptr<Storage> make_tensor_storage(const pool::ModulePool& pool) {
  return std::make_unique<TensorStorage>(pool);
}

}  // namespace polar::exec
