#pragma once
// Where a worker's states lie and how rows attend to them. Two implementations: the processor's memory with polar's own
// attention kernel, and tensors on the pool's device with LibTorch's operators.

#include <cstddef>
#include <memory>
#include <span>

#include "pool/module_pool.h"

namespace polar::exec {

/// Hidden rows of one sequence after a program prefix, or of one decoded token. Only the Storage that made them reads
/// them.
class HiddenRows {
 public:
  virtual ~HiddenRows() = default;
  virtual std::size_t bytes() const = 0;
};

/// Keys and values of one program step for consecutive positions of one sequence. Only the Storage that made them reads
/// them.
class KeyValues {
 public:
  virtual ~KeyValues() = default;
  virtual int rows() const = 0;
  virtual std::size_t bytes() const = 0;
};

/// Hidden rows [first, first + rows).
struct HiddenSpan {
  const HiddenRows* from = nullptr;
  int first = 0, rows = 0;
};

/// The first `rows` positions.
struct KeySpan {
  const KeyValues* from = nullptr;
  int rows = 0;
};

/// `rows` packed rows that `to` is to hold in place of what it held.
struct HiddenTarget {
  int rows = 0;
  std::unique_ptr<HiddenRows>* to = nullptr;
};

/// `rows` packed rows that go behind those of `to`.
struct KeyTarget {
  int rows = 0;
  KeyValues* to = nullptr;
};

/// Queries [query, query + rows) attend; rows [to, to + rows) of the result are written. The first sees the keys of the
/// spans, its own the last of them; each following row sees one key more of the last span.
struct AttendCall {
  int query = 0, rows = 0;
  std::span<const KeySpan> keys;
  int to = 0;
};

/// Tensors of rows are contiguous, of the pool's dtype, on its device. What rows of many sequences need is asked for at
/// once: on a device one operator serves all of them. A row's attention is computed in float32 and in an order of
/// operations that depends on the number of keys it sees alone: bits do not depend on which rows run beside it, nor on
/// how its keys are divided into spans (on a device: as far as its products keep a row's bits among other rows of the
/// same shapes). One storage a worker; not thread-safe. Throws std::bad_alloc or c10::Error when memory is out.
class Storage {
 public:
  virtual ~Storage() = default;

  /// What `rows` rows take, but for rounding to whole cache lines.
  virtual std::size_t hidden_bytes(int rows) const = 0;
  virtual std::size_t kv_bytes(int rows) const = 0;

  /// Rows of `rows` [N, d] from `first` on go to the targets, one after the other; in place where the storage can and a
  /// target holds as many.
  virtual void store(const at::Tensor& rows, int first, std::span<const HiddenTarget> targets) = 0;
  /// [padded_rows, d]: the rows of the spans one after the other, then zeros.
  virtual at::Tensor gather(std::span<const HiddenSpan> spans, int padded_rows) const = 0;

  /// Room for `rows` positions at once, where storages reserve.
  virtual std::unique_ptr<KeyValues> key_values(int rows) const = 0;
  /// Never asked to hold more than `most_rows`.
  virtual std::unique_ptr<KeyValues> growing_key_values(int most_rows) const = 0;
  /// Rows of k and v [N, Hkv, h] from `first` on go to the targets, one after the other.
  virtual void append(const at::Tensor& k, const at::Tensor& v, int first, std::span<const KeyTarget> targets) = 0;

  /// queries [N, H, h] → rows of mixed [M, H·h]. Source of the formula: Vaswani et al. 2017, section 3.2.1; scale,
  /// softcap and window as in pool::Attention.
  virtual void attend(const pool::Attention& attention, const at::Tensor& queries, const at::Tensor& mixed,
                      std::span<const AttendCall> calls) = 0;
};

/// Buffers in the processor's memory and the kernel of attention.h: the pool must be on the CPU.
std::unique_ptr<Storage> make_host_storage(const pool::ModulePool& pool);

/// Raised whenever the bits of tensor states' attention change: part of the executor's fingerprint.
inline constexpr int kTensorRevision = 2;

/// On the pool's device, whichever it is: one tensor of hidden rows and one of keys and values, handed out row by row.
/// They grow by half and never shrink: beyond what rows hold, half as much again may lie idle, and while one grows its
/// old and its new content are there at once. Row counts of the factories are not looked at.
std::unique_ptr<Storage> make_tensor_storage(const pool::ModulePool& pool);

}  // namespace polar::exec
