#include "exec/attention.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstring>

namespace polar::exec {
namespace {

struct Case {
  AttentionShape shape;
  at::Tensor q, k, v;  // [H, h], [n, Hkv, h] twice
};

Case random_case(AttentionShape shape, int keys, std::uint64_t seed) {
  at::manual_seed(seed);
  const auto type = shape.dtype == pool::DType::kBFloat16 ? at::kBFloat16 : at::kFloat;
  return {shape, at::randn({shape.heads, shape.head_size}).to(type),
          at::randn({keys, shape.kv_heads, shape.head_size}).to(type),
          at::randn({keys, shape.kv_heads, shape.head_size}).to(type)};
}

const std::byte* row(const at::Tensor& rows, int index) {
  return static_cast<const std::byte*>(rows[index].contiguous().data_ptr());
}

at::Tensor attend(const Case& c, const pool::Attention& attention, const std::vector<int>& span_rows) {
  std::vector<KvRows> parts;
  int next = 0;
  for (int rows : span_rows) {
    KvRows& part = parts.emplace_back(c.shape);
    for (int i = 0; i < rows; ++i, ++next) {
      const at::Tensor k = c.k[next].contiguous(), v = c.v[next].contiguous();
      part.append(c.shape, static_cast<const std::byte*>(k.data_ptr()), static_cast<const std::byte*>(v.data_ptr()));
    }
  }
  std::vector<KvSpan> spans;
  for (const KvRows& part : parts) spans.push_back({part.keys(), part.values(), part.rows()});
  at::Tensor out = at::empty_like(c.q);
  AttentionKernel kernel(c.shape);
  kernel.attend(attention, static_cast<const std::byte*>(c.q.data_ptr()), 1, spans,
                static_cast<std::byte*>(out.data_ptr()));
  return out;
}

/// The formula with LibTorch's operators, in float64.
at::Tensor expected(const Case& c, const pool::Attention& attention) {
  const int group = c.shape.heads / c.shape.kv_heads;
  const at::Tensor k = c.k.to(at::kDouble).repeat_interleave(group, 1),
                   v = c.v.to(at::kDouble).repeat_interleave(group, 1);
  at::Tensor scores = at::einsum("hd,nhd->hn", {c.q.to(at::kDouble), k}) * attention.scale;
  if (attention.softcap > 0) scores = attention.softcap * at::tanh(scores / attention.softcap);
  const auto keys = static_cast<int>(c.k.size(0));
  if (attention.window > 0 && attention.window < keys) scores.narrow(1, 0, keys - attention.window).fill_(-INFINITY);
  return at::einsum("hn,nhd->hd", {at::softmax(scores, 1), v});
}

TEST(AttentionKernel, MatchesTheFormulaForManyShapesAndLengths) {
  for (const AttentionShape& shape :
       {AttentionShape{9, 3, 64, pool::DType::kFloat32}, AttentionShape{4, 2, 8, pool::DType::kFloat32},
        AttentionShape{2, 1, 96, pool::DType::kFloat32}, AttentionShape{2, 2, 40, pool::DType::kFloat32}}) {
    for (int keys : {1, 2, 15, 16, 17, 33, 100}) {
      const Case c = random_case(shape, keys, static_cast<std::uint64_t>(keys));
      const pool::Attention attention{0, 0.125, 0};
      EXPECT_TRUE(at::allclose(attend(c, attention, {keys}).to(at::kDouble), expected(c, attention), 1e-5, 1e-5))
          << keys;
    }
  }
}

TEST(AttentionKernel, RoundsItsResultToBFloat16) {
  const Case c = random_case({9, 3, 64, pool::DType::kBFloat16}, 29, 7);
  const pool::Attention attention{0, 0.125, 0};
  EXPECT_TRUE(at::allclose(attend(c, attention, {29}).to(at::kDouble), expected(c, attention), 1e-2, 4e-3));
}

TEST(AttentionKernel, KeepsTheBitsHoweverTheKeysAreDividedIntoSpans) {
  for (pool::DType dtype : {pool::DType::kFloat32, pool::DType::kBFloat16}) {
    const Case c = random_case({9, 3, 64, dtype}, 50, 3);
    const pool::Attention attention{0, 0.125, 0};
    const at::Tensor whole = attend(c, attention, {50});
    for (const std::vector<int>& spans :
         std::vector<std::vector<int>>{{1, 49}, {16, 34}, {17, 16, 17}, {5, 40, 5}, {49, 0, 1}}) {
      EXPECT_TRUE(at::equal(whole, attend(c, attention, spans)));
    }
  }
}

TEST(AttentionKernel, GivesSeveralRowsTheBitsThatEachHasAlone) {
  for (pool::DType dtype : {pool::DType::kFloat32, pool::DType::kBFloat16}) {
    for (const AttentionShape& shape :
         {AttentionShape{9, 3, 64, dtype}, AttentionShape{20, 1, 24, dtype}, AttentionShape{7, 7, 48, dtype}}) {
      constexpr int kBefore = 21, kRows = 11;
      const Case c = random_case(shape, kBefore + kRows, 11);
      const at::Tensor queries = at::randn({kRows, shape.heads, shape.head_size}).to(c.q.scalar_type());
      const pool::Attention attention{25, 0.125, 0};
      KvRows before(shape), own(shape);
      for (int i = 0; i < kBefore + kRows; ++i) (i < kBefore ? before : own).append(shape, row(c.k, i), row(c.v, i));
      const std::vector<KvSpan> spans = {{before.keys(), before.values(), kBefore}, {own.keys(), own.values(), 1}};
      at::Tensor together = at::empty_like(queries);
      AttentionKernel kernel(shape);
      kernel.attend(attention, static_cast<const std::byte*>(queries.data_ptr()), kRows, spans,
                    static_cast<std::byte*>(together.data_ptr()));
      for (int i = 0; i < kRows; ++i) {
        Case alone{shape, queries[i], c.k.narrow(0, 0, kBefore + i + 1), c.v.narrow(0, 0, kBefore + i + 1)};
        EXPECT_TRUE(at::equal(together[i], attend(alone, attention, {kBefore + i + 1}))) << i;
      }
    }
  }
}

TEST(AttentionKernel, HonoursWindowAndSoftcap) {
  const Case c = random_case({4, 2, 16, pool::DType::kFloat32}, 40, 5);
  for (const pool::Attention& attention :
       {pool::Attention{8, 0.25, 0}, pool::Attention{0, 0.25, 2.0}, pool::Attention{17, 0.5, 5}}) {
    EXPECT_TRUE(at::allclose(attend(c, attention, {40}).to(at::kDouble), expected(c, attention), 1e-5, 1e-5));
  }
}

TEST(KvRows, KeepsEarlierRowsWhenItGrows) {
  const Case c = random_case({2, 1, 16, pool::DType::kFloat32}, 100, 9);
  const pool::Attention attention{0, 0.25, 0};
  KvRows reserved(c.shape, 100);
  for (int i = 0; i < 100; ++i) reserved.append(c.shape, row(c.k, i), row(c.v, i));
  at::Tensor out = at::empty_like(c.q);
  const KvSpan span{reserved.keys(), reserved.values(), 100};
  AttentionKernel(c.shape).attend(attention, static_cast<const std::byte*>(c.q.data_ptr()), 1, std::span(&span, 1),
                                  static_cast<std::byte*>(out.data_ptr()));
  EXPECT_TRUE(at::equal(out, attend(c, attention, {100})));
}

TEST(KvRows, NeverHoldsMoreThanTheMostThatItGrowsTo) {
  for (int most : {1, 16, 17, 49, 70}) {
    const Case c = random_case({2, 1, 16, pool::DType::kFloat32}, most, 9);
    KvRows rows = KvRows::growing_to(most);
    for (int i = 0; i < most; ++i) {
      rows.append(c.shape, row(c.k, i), row(c.v, i));
      EXPECT_LE(rows.bytes(), c.shape.kv_bytes(most));
    }
    EXPECT_EQ(rows.rows(), most);
  }
}

}  // namespace
}  // namespace polar::exec
