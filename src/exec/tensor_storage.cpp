#include <torch/torch.h>

#include <algorithm>
#include <limits>

#include "exec/storage.h"

namespace polar::exec {
namespace {

/// Positions whose rows attend in one product. Queries are placed by the position of their last key and keys padded to
/// whole blocks, so that a row takes part in products of the same shapes whatever runs beside it.
constexpr int kPositions = 64;

struct TensorHiddenRows final : HiddenRows {
  explicit TensorHiddenRows(at::Tensor content) : rows(std::move(content)) {}
  std::size_t bytes() const override { return rows.nbytes(); }
  at::Tensor rows;  ///< [n, d]
};

struct TensorKeyValues final : KeyValues {
  explicit TensorKeyValues(int most_rows) : most(most_rows) {}
  int rows() const override { return used; }
  std::size_t bytes() const override { return keys.defined() ? keys.nbytes() + values.nbytes() : 0; }
  int used = 0, most;
  at::Tensor keys, values;  ///< [capacity, Hkv, h]
};

class TensorStorage final : public Storage {
 public:
  explicit TensorStorage(const pool::ModulePool& pool)
      : heads_(pool.manifest().heads),
        kv_heads_(pool.manifest().kv_heads),
        head_size_(pool.manifest().head_size),
        width_(pool.manifest().hidden),
        rows_(at::TensorOptions(at::Device(pool.device()))
                  .dtype(pool.dtype() == pool::DType::kBFloat16 ? at::kBFloat16 : at::kFloat)) {}

  std::size_t hidden_bytes(int rows) const override { return bytes_of(rows, width_); }
  std::size_t kv_bytes(int rows) const override { return 2 * bytes_of(rows, kv_heads_ * head_size_); }

  void store(const at::Tensor& rows, int first, int count, std::unique_ptr<HiddenRows>& to) override {
    to = std::make_unique<TensorHiddenRows>(rows.narrow(0, first, count).clone());
  }

  at::Tensor gather(std::span<const HiddenSpan> spans, int padded_rows) const override {
    std::vector<at::Tensor> parts;
    int rows = 0;
    for (const HiddenSpan& span : spans) {
      parts.push_back(static_cast<const TensorHiddenRows&>(*span.from).rows.narrow(0, span.first, span.rows));
      rows += span.rows;
    }
    if (rows < padded_rows) parts.push_back(at::zeros({padded_rows - rows, width_}, rows_));
    return at::cat(parts);
  }

  std::unique_ptr<KeyValues> key_values(int rows) const override {
    auto made = std::make_unique<TensorKeyValues>(rows);
    grow(*made, rows);
    return made;
  }
  std::unique_ptr<KeyValues> growing_key_values(int most_rows) const override {
    return std::make_unique<TensorKeyValues>(most_rows);
  }

  void append(const at::Tensor& k, const at::Tensor& v, int first, int count, KeyValues& to) const override {
    auto& kv = static_cast<TensorKeyValues&>(to);
    const int capacity = kv.keys.defined() ? static_cast<int>(kv.keys.size(0)) : 0;
    if (kv.used + count > capacity) grow(kv, std::min(kv.most, std::max({16, 2 * capacity, kv.used + count})));
    kv.keys.narrow(0, kv.used, count).copy_(k.narrow(0, first, count));
    kv.values.narrow(0, kv.used, count).copy_(v.narrow(0, first, count));
    kv.used += count;
  }

  void attend(const pool::Attention& attention, const AttendCall& call) override {
    int last = -1;  // index of the last key that the first row sees
    for (const KeySpan& span : call.keys) last += span.rows;
    const int keys = (last + call.rows + kPositions - 1) / kPositions * kPositions;
    const at::Tensor k = pack(call, &TensorKeyValues::keys, keys), v = pack(call, &TensorKeyValues::values, keys);
    for (int row = 0; row < call.rows;) {
      const int place = (last + row) % kPositions, count = std::min(call.rows - row, kPositions - place);
      const int visible = last + row - place + kPositions;
      const at::Tensor mixed =
          mix(attention, queries(call, row, place, count), k.narrow(1, 0, visible), v.narrow(1, 0, visible));
      call.mixed.narrow(0, call.to + row, count).copy_(mixed.narrow(0, place, count));
      row += count;
    }
  }

 private:
  std::size_t bytes_of(int rows, int elements) const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(elements) * rows_.dtype().itemsize();
  }

  void grow(TensorKeyValues& kv, int capacity) const {
    for (at::Tensor TensorKeyValues::* part : {&TensorKeyValues::keys, &TensorKeyValues::values}) {
      const at::Tensor larger = at::empty({capacity, kv_heads_, head_size_}, rows_);
      if (kv.used > 0) larger.narrow(0, 0, kv.used).copy_((kv.*part).narrow(0, 0, kv.used));
      kv.*part = larger;
    }
  }

  /// float32 [Hkv, keys, h]: what the call's last row sees, then zeros.
  at::Tensor pack(const AttendCall& call, at::Tensor TensorKeyValues::* part, int keys) const {
    at::Tensor packed = at::zeros({keys, kv_heads_, head_size_}, rows_.dtype(at::kFloat));
    int at = 0;
    for (const KeySpan& span : call.keys) {
      const int rows = span.rows + (&span == &call.keys.back() ? call.rows - 1 : 0);
      const auto& from = static_cast<const TensorKeyValues&>(*span.from);
      if (rows > 0) packed.narrow(0, at, rows).copy_((from.*part).narrow(0, 0, rows));
      at += rows;
    }
    return packed.transpose(0, 1).contiguous();
  }

  /// float32 [Hkv, H / Hkv · kPositions, h]: the call's rows from `row` on at `place`, zeros around them.
  at::Tensor queries(const AttendCall& call, int row, int place, int count) const {
    at::Tensor placed = at::zeros({kPositions, heads_, head_size_}, rows_.dtype(at::kFloat));
    placed.narrow(0, place, count).copy_(call.queries.narrow(0, call.query + row, count));
    return placed.transpose(0, 1).reshape({kv_heads_, -1, head_size_});
  }

  /// [kPositions, H·h] of queries whose last keys are the last kPositions of `k` and `v` [Hkv, keys, h].
  at::Tensor mix(const pool::Attention& attention, const at::Tensor& q, const at::Tensor& k,
                 const at::Tensor& v) const {
    const std::int64_t keys = k.size(1);
    at::Tensor scores = at::bmm(q, k.transpose(1, 2)) * attention.scale;
    if (attention.softcap > 0) scores = attention.softcap * at::tanh(scores / attention.softcap);
    const auto index = rows_.dtype(at::kLong);
    const at::Tensor key = at::arange(keys, index), last = at::arange(keys - kPositions, keys, index).unsqueeze(1);
    at::Tensor hidden = key > last;
    if (attention.window > 0) hidden = hidden.logical_or(key <= last - attention.window);
    scores = scores.view({heads_, kPositions, keys}).masked_fill(hidden, -std::numeric_limits<double>::infinity());
    const at::Tensor mixed = at::bmm(at::softmax(scores, -1).view({kv_heads_, -1, keys}), v);
    return mixed.view({heads_, kPositions, head_size_}).transpose(0, 1).reshape({kPositions, -1});
  }

  int heads_, kv_heads_, head_size_, width_;
  at::TensorOptions rows_;  ///< device and dtype of rows, keys and values
};

}  // namespace

std::unique_ptr<Storage> make_tensor_storage(const pool::ModulePool& pool) {
  return std::make_unique<TensorStorage>(pool);
}

}  // namespace polar::exec
