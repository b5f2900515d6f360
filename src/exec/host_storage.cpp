#include <torch/torch.h>

#include <cstring>

#include "exec/attention.h"
#include "exec/storage.h"

namespace polar::exec {
namespace {

std::byte* row_of(const at::Tensor& rows, int row, std::size_t row_bytes) {
  return static_cast<std::byte*>(rows.data_ptr()) + static_cast<std::size_t>(row) * row_bytes;
}

struct HostHiddenRows final : HiddenRows {
  explicit HostHiddenRows(std::size_t content) : size(content), buffer(content) {}
  std::size_t bytes() const override { return buffer.bytes(); }
  std::size_t size;  ///< of the rows; the buffer is rounded up
  Buffer buffer;
};

struct HostKeyValues final : KeyValues {
  explicit HostKeyValues(KvRows rows) : kv(std::move(rows)) {}
  int rows() const override { return kv.rows(); }
  std::size_t bytes() const override { return kv.bytes(); }
  KvRows kv;
};

class HostStorage final : public Storage {
 public:
  explicit HostStorage(const pool::ModulePool& pool)
      : shape_{pool.manifest().heads, pool.manifest().kv_heads, pool.manifest().head_size, pool.dtype()},
        width_(pool.manifest().hidden),
        type_(pool.dtype() == pool::DType::kBFloat16 ? at::kBFloat16 : at::kFloat),
        hidden_row_bytes_(row_bytes(width_)),
        query_row_bytes_(row_bytes(shape_.heads * shape_.head_size)),
        kv_row_bytes_(row_bytes(shape_.kv_heads * shape_.head_size)),
        kernel_(shape_) {}

  std::size_t hidden_bytes(int rows) const override { return static_cast<std::size_t>(rows) * hidden_row_bytes_; }
  std::size_t kv_bytes(int rows) const override { return shape_.kv_bytes(rows); }

  void store(const at::Tensor& rows, int first, std::span<const HiddenTarget> targets) override {
    const std::byte* from = row_of(rows, first, hidden_row_bytes_);
    for (const auto& [count, to] : targets) {
      const std::size_t bytes = hidden_bytes(count);
      if (*to == nullptr || static_cast<HostHiddenRows&>(**to).size != bytes)
        *to = std::make_unique<HostHiddenRows>(bytes);
      if (bytes > 0) std::memcpy(static_cast<HostHiddenRows&>(**to).buffer.data(), from, bytes);
      from += bytes;
    }
  }

  at::Tensor gather(std::span<const HiddenSpan> spans, int padded_rows) const override {
    int rows = 0;
    for (const HiddenSpan& span : spans) rows += span.rows;
    at::Tensor packed =
        rows == padded_rows ? at::empty({rows, width_}, type_) : at::zeros({padded_rows, width_}, type_);
    std::byte* to = row_of(packed, 0, 0);
    for (const HiddenSpan& span : spans) {
      const Buffer& from = static_cast<const HostHiddenRows&>(*span.from).buffer;
      std::memcpy(to, from.data() + hidden_bytes(span.first), hidden_bytes(span.rows));
      to += hidden_bytes(span.rows);
    }
    return packed;
  }

  std::unique_ptr<KeyValues> key_values(int rows) const override {
    return std::make_unique<HostKeyValues>(KvRows(shape_, rows));
  }
  std::unique_ptr<KeyValues> growing_key_values(int most_rows) const override {
    return std::make_unique<HostKeyValues>(KvRows::growing_to(most_rows));
  }

  void append(const at::Tensor& k, const at::Tensor& v, int first, std::span<const KeyTarget> targets) override {
    const std::byte* key = row_of(k, first, kv_row_bytes_);
    const std::byte* value = row_of(v, first, kv_row_bytes_);
    for (const auto& [count, to] : targets) {
      KvRows& kv = static_cast<HostKeyValues&>(*to).kv;
      for (int row = 0; row < count; ++row, key += kv_row_bytes_, value += kv_row_bytes_) kv.append(shape_, key, value);
    }
  }

  void attend(const pool::Attention& attention, const at::Tensor& queries, const at::Tensor& mixed,
              std::span<const AttendCall> calls) override {
    for (const AttendCall& call : calls) {
      spans_.clear();
      for (const KeySpan& span : call.keys) {
        const KvRows& kv = static_cast<const HostKeyValues&>(*span.from).kv;
        spans_.push_back({kv.keys(), kv.values(), span.rows});
      }
      kernel_.attend(attention, row_of(queries, call.query, query_row_bytes_), call.rows, spans_,
                     row_of(mixed, call.to, query_row_bytes_));
    }
  }

 private:
  std::size_t row_bytes(int elements) const { return static_cast<std::size_t>(elements) * shape_.element_bytes(); }

  AttentionShape shape_;
  int width_;
  at::ScalarType type_;
  std::size_t hidden_row_bytes_, query_row_bytes_, kv_row_bytes_;
  AttentionKernel kernel_;
  std::vector<KvSpan> spans_;  ///< of the call in progress
};

}  // namespace

std::unique_ptr<Storage> make_host_storage(const pool::ModulePool& pool) {
  return std::make_unique<HostStorage>(pool);
}

}  // namespace polar::exec
