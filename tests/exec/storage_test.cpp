// Both storages, by the contract that they share.

#include "exec/storage.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::exec {
namespace {

struct StoragePlace {
  const char* name;
  const char* device;
  std::unique_ptr<Storage> (*make)(const pool::ModulePool&);
  pool::DType dtype;
};

std::ostream& operator<<(std::ostream& out, const StoragePlace& place) {
  return out << place.name;
}

class StorageTest : public testing::TestWithParam<StoragePlace> {
 protected:
  static constexpr int kHeads = 6, kKvHeads = 2, kHeadSize = 24;

  void SetUp() override {
    if (std::string(GetParam().device) != "cpu" && !torch::cuda::is_available())
      GTEST_SKIP() << "no CUDA device here, or a LibTorch without CUDA";
    test::write_tiny_pool(
        folder_ / "pool",
        {.depth = 1, .hidden = kWidth, .heads = kHeads, .kv_heads = kKvHeads, .head_size = kHeadSize});
    pool_ = test::load_pool(folder_ / "pool", GetParam().dtype, pool::Kernels::kLibrary, GetParam().device).pool;
    storage_ = GetParam().make(*pool_);
  }

  at::Tensor random(at::IntArrayRef shape) {
    const auto type = GetParam().dtype == pool::DType::kBFloat16 ? at::kBFloat16 : at::kFloat;
    return at::randn(shape, generator_).to(at::Device(GetParam().device), type);
  }

  void append(const at::Tensor& k, const at::Tensor& v, int first, int count, KeyValues& to) const {
    const KeyTarget target{count, &to};
    storage_->append(k, v, first, std::span(&target, 1));
  }

  /// Attention of rows whose last one sees all of k and v; keys come in spans of these lengths, the rows' own last.
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const std::vector<int>& span_rows,
                    const pool::Attention& attention) const {
    const int rows = static_cast<int>(q.size(0));
    std::vector<std::unique_ptr<KeyValues>> parts;
    std::vector<KeySpan> spans;
    int next = 0;
    for (int count : span_rows) {
      parts.push_back(next % 2 == 0 ? storage_->key_values(count) : storage_->growing_key_values(count));
      for (int done = 0; done < count; done += 5)  // in several appends
        append(k, v, next + done, std::min(5, count - done), *parts.back());
      EXPECT_EQ(parts.back()->rows(), count);
      next += count;
      spans.push_back({parts.back().get(), count});
    }
    spans.back().rows -= rows - 1;
    const at::Tensor mixed = at::zeros({rows + 2, kHeads * kHeadSize}, q.options());
    const AttendCall call{0, rows, spans, 1};
    storage_->attend(attention, q, mixed, std::span(&call, 1));
    EXPECT_TRUE(mixed[0].eq(0).all().item<bool>() && mixed[rows + 1].eq(0).all().item<bool>());
    return mixed.narrow(0, 1, rows);
  }

  /// The formula in float64.
  static at::Tensor expected(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const pool::Attention& attention) {
    const std::int64_t rows = q.size(0), keys = k.size(0);
    const auto wide = [](const at::Tensor& t) {
      return t.to(at::kCPU, at::kDouble).repeat_interleave(kHeads / kKvHeads, 1);
    };
    at::Tensor scores = at::einsum("qhd,khd->hqk", {q.to(at::kCPU, at::kDouble), wide(k)}) * attention.scale;
    if (attention.softcap > 0) scores = attention.softcap * at::tanh(scores / attention.softcap);
    const at::Tensor last = at::arange(keys - rows, keys).unsqueeze(1), key = at::arange(keys);
    at::Tensor hidden = key > last;
    if (attention.window > 0) hidden = hidden.logical_or(key <= last - attention.window);
    const at::Tensor weights = at::softmax(scores.masked_fill(hidden, -INFINITY), -1);
    return at::einsum("hqk,khd->qhd", {weights, wide(v)}).reshape({rows, -1});
  }

  double tolerance() const { return GetParam().dtype == pool::DType::kFloat32 ? 1e-5 : 1e-2; }

  static constexpr int kWidth = 40;
  at::Generator generator_ = at::detail::createCPUGenerator(3);
  test::TemporaryFolder folder_;
  std::shared_ptr<const pool::ModulePool> pool_;
  std::unique_ptr<Storage> storage_;
};

TEST_P(StorageTest, AttendsByTheFormula) {
  const c10::InferenceMode inference;
  for (const auto& [rows, keys] : std::vector<std::pair<int, int>>{{1, 1}, {1, 64}, {3, 65}, {64, 64}, {70, 150}}) {
    const at::Tensor q = random({rows, kHeads, kHeadSize}), k = random({keys, kKvHeads, kHeadSize}),
                     v = random({keys, kKvHeads, kHeadSize});
    for (const pool::Attention& attention :
         {pool::Attention{0, 0.2, 0}, pool::Attention{9, 0.2, 0}, pool::Attention{0, 0.2, 3}}) {
      const at::Tensor found = attend(q, k, v, {keys}, attention).to(at::kCPU, at::kDouble);
      EXPECT_TRUE(at::allclose(found, expected(q, k, v, attention), tolerance(), tolerance()))
          << rows << " rows, " << keys << " keys, window " << attention.window << ", softcap " << attention.softcap;
    }
  }
}

TEST_P(StorageTest, GivesARowTheBitsThatItHasAloneAndWithOneSpan) {
  const c10::InferenceMode inference;
  constexpr int kRows = 90, kKeys = 140;
  const at::Tensor q = random({kRows, kHeads, kHeadSize}), k = random({kKeys, kKvHeads, kHeadSize}),
                   v = random({kKeys, kKvHeads, kHeadSize});
  const pool::Attention attention{0, 0.2, 0};
  const at::Tensor together = attend(q, k, v, {kKeys}, attention);
  EXPECT_TRUE(at::equal(attend(q, k, v, {17, 20, kKeys - 37}, attention), together));
  for (int row = 0; row < kRows; row += 7) {
    const int seen = kKeys - kRows + row + 1;
    const at::Tensor alone = attend(q.narrow(0, row, 1), k.narrow(0, 0, seen), v.narrow(0, 0, seen), {seen}, attention);
    EXPECT_TRUE(at::equal(alone[0], together[row])) << row;
  }
}

TEST_P(StorageTest, GathersWhatItStoredAndPadsWithZeros) {
  const c10::InferenceMode inference;
  const at::Tensor rows = random({9, kWidth});
  std::unique_ptr<HiddenRows> first, second;
  const std::vector<HiddenTarget> both = {{4, &first}, {5, &second}};
  storage_->store(rows, 0, both);
  EXPECT_GE(first->bytes(), storage_->hidden_bytes(4));
  const std::vector<HiddenSpan> spans = {{second.get(), 2, 3}, {first.get(), 0, 4}, {first.get(), 3, 1}};
  const at::Tensor packed = storage_->gather(spans, 11);
  EXPECT_TRUE(
      at::equal(packed.narrow(0, 0, 8), at::cat({rows.narrow(0, 6, 3), rows.narrow(0, 0, 4), rows.narrow(0, 3, 1)})));
  EXPECT_TRUE(packed.narrow(0, 8, 3).eq(0).all().item<bool>());
  storage_->store(rows, 5, std::span(both).first(1));
  const HiddenSpan again{first.get(), 0, 4};
  EXPECT_TRUE(at::equal(storage_->gather(std::span(&again, 1), 4), rows.narrow(0, 5, 4)));
}

TEST_P(StorageTest, HoldsNoMoreThanItSays) {
  const c10::InferenceMode inference;
  const at::Tensor k = random({50, kKvHeads, kHeadSize});
  const auto growing = storage_->growing_key_values(50);
  for (int row = 0; row < 50; ++row) {
    append(k, k, row, 1, *growing);
    EXPECT_LE(growing->bytes(), storage_->kv_bytes(50));
  }
  EXPECT_LE(storage_->key_values(50)->bytes(), storage_->kv_bytes(50));
}

TEST_P(StorageTest, KeepsWhatItHoldsWhileOthersComeAndGo) {
  const c10::InferenceMode inference;
  const at::Tensor rows = random({400, kWidth});
  std::vector<std::unique_ptr<HiddenRows>> held(40);
  std::vector<HiddenTarget> targets;
  for (auto& each : held) targets.push_back({10, &each});
  storage_->store(rows, 0, targets);
  for (std::size_t i = 0; i < held.size(); i += 2) held[i].reset();
  std::unique_ptr<HiddenRows> other;
  const HiddenTarget large{300, &other};
  storage_->store(rows, 100, std::span(&large, 1));
  for (std::size_t i = 1; i < held.size(); i += 2) {
    const HiddenSpan all{held[i].get(), 0, 10};
    EXPECT_TRUE(at::equal(storage_->gather(std::span(&all, 1), 10), rows.narrow(0, static_cast<int>(i) * 10, 10))) << i;
  }
  const HiddenSpan all{other.get(), 0, 300};
  EXPECT_TRUE(at::equal(storage_->gather(std::span(&all, 1), 300), rows.narrow(0, 100, 300)));
}

TEST_P(StorageTest, GivesARowTheBitsThatItHasBesideOtherSequences) {
  const c10::InferenceMode inference;
  constexpr int kSequences = 150, kRows = 7;  // more blocks than one product holds
  const at::Tensor q = random({kSequences * kRows, kHeads, kHeadSize}),
                   k = random({kSequences * kRows, kKvHeads, kHeadSize}),
                   v = random({kSequences * kRows, kKvHeads, kHeadSize});
  std::vector<std::unique_ptr<KeyValues>> held;
  std::vector<KeyTarget> targets;
  std::vector<KeySpan> spans;
  for (int i = 0; i < kSequences; ++i) {
    held.push_back(storage_->key_values(kRows));
    targets.push_back({kRows, held.back().get()});
    spans.push_back({held.back().get(), 1});
  }
  storage_->append(k, v, 0, targets);
  std::vector<AttendCall> calls;
  for (int i = 0; i < kSequences; ++i)
    calls.push_back({i * kRows, kRows, std::span(spans).subspan(static_cast<std::size_t>(i), 1), i * kRows});
  const pool::Attention attention{0, 0.2, 0};
  const at::Tensor mixed = at::empty({kSequences * kRows, kHeads * kHeadSize}, q.options());
  storage_->attend(attention, q, mixed, calls);
  for (int i : {0, 1, 80, kSequences - 1}) {
    const auto own = [&](const at::Tensor& rows) { return rows.narrow(0, i * kRows, kRows).contiguous(); };
    EXPECT_TRUE(at::equal(own(mixed), attend(own(q), own(k), own(v), {kRows}, attention))) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Places, StorageTest,
    testing::Values(StoragePlace{"host_float32", "cpu", make_host_storage, pool::DType::kFloat32},
                    StoragePlace{"host_bfloat16", "cpu", make_host_storage, pool::DType::kBFloat16},
                    StoragePlace{"tensors_float32", "cpu", make_tensor_storage, pool::DType::kFloat32},
                    StoragePlace{"tensors_bfloat16", "cpu", make_tensor_storage, pool::DType::kBFloat16},
                    StoragePlace{"cuda_float32", "cuda:0", make_tensor_storage, pool::DType::kFloat32},
                    StoragePlace{"cuda_bfloat16", "cuda:0", make_tensor_storage, pool::DType::kBFloat16}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace polar::exec
