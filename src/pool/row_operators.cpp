#include "pool/row_operators.h"

#include <torch/csrc/jit/ir/subgraph_matcher.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/subgraph_rewrite.h>
#include <torch/script.h>

#include <algorithm>
#include <optional>

#include "pool/large_pages.h"
#include "pool/row_gemm.h"
#include "pool/row_kernels.h"

namespace polar::pool {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

// --- The operators --------------------------------------------------------------------------------------------------

bool is_bfloat16(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kBFloat16;
}

/// Packed tensors of three dimensions are columns of panels, those of four are pairs, those of five tiles.
PackedMatrix view_of(const at::Tensor& packed, const at::Tensor& rows, std::int64_t outputs) {
  PackedFormat format = is_bfloat16(packed) ? PackedFormat::kBFloat16 : PackedFormat::kFloat32;
  if (packed.dim() == 4) format = PackedFormat::kPairs;
  if (packed.dim() == 5) format = PackedFormat::kTiles;
  TORCH_CHECK(packed.dim() == 3 || is_bfloat16(rows), "polar::linear: tiles and pairs expected bfloat16 rows");
  const int inputs = static_cast<int>(rows.size(1));
  TORCH_CHECK(static_cast<std::size_t>(packed.numel() / packed.size(0)) == panel_elements(inputs, format),
              "polar::linear: the weight has another number of inputs than rows of ", inputs);
  return {packed.data_ptr(), format, static_cast<int>(rows.size(1)), static_cast<int>(outputs)};
}

const void* data_or_null(const std::optional<at::Tensor>& tensor) {
  return tensor ? tensor->data_ptr() : nullptr;
}

at::Tensor linear(const at::Tensor& rows, const at::Tensor& packed, std::int64_t outputs,
                  const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& residual) {
  const at::Tensor x = rows.contiguous();
  std::optional<at::Tensor> added;
  if (residual) added = residual->contiguous();
  at::Tensor out = at::empty({x.size(0), outputs}, x.options());
  TORCH_CHECK(!added || (added->sizes() == out.sizes() && added->scalar_type() == out.scalar_type()),
              "polar::linear: expected a residual of the output's sizes and type");
  multiply(x.data_ptr(), is_bfloat16(x), static_cast<int>(x.size(0)), view_of(packed, x, outputs),
           {data_or_null(bias), data_or_null(added), out.data_ptr()});
  return out;
}

at::Tensor gated_linear(const at::Tensor& rows, const at::Tensor& packed, std::int64_t outputs) {
  const at::Tensor x = rows.contiguous();
  at::Tensor out = at::empty({x.size(0), outputs / 2}, x.options());
  multiply_gated(x.data_ptr(), is_bfloat16(x), static_cast<int>(x.size(0)), view_of(packed, x, outputs),
                 out.data_ptr());
  return out;
}

at::Tensor rms_norm(const at::Tensor& rows, const std::optional<at::Tensor>& weight, double eps) {
  const at::Tensor x = rows.contiguous();
  at::Tensor out = at::empty_like(x);
  normalize_rows(x.data_ptr(), is_bfloat16(x), static_cast<int>(x.size(0)), static_cast<int>(x.size(1)),
                 data_or_null(weight), eps, out.data_ptr());
  return out;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> rotary(const at::Tensor& projected, const at::Tensor& table,
                                                      const at::Tensor& positions, std::int64_t heads,
                                                      std::int64_t turned) {
  const at::Tensor x = projected.contiguous();
  TORCH_CHECK(table.scalar_type() == x.scalar_type(), "polar::rotary: expected a table of the rows' type");
  const std::int64_t kv_heads = turned - heads;  // `turned` counts the heads of q and k
  const std::int64_t rows = x.size(0), head_size = x.size(1) / (turned + kv_heads);
  const auto* position = positions.data_ptr<std::int64_t>();
  TORCH_CHECK(std::all_of(position, position + rows, [&](std::int64_t p) { return p >= 0 && p < table.size(0); }),
              "polar::rotary: expected positions below ", table.size(0), ", the rows of the table");
  at::Tensor q = at::empty({rows, heads, head_size}, x.options());
  at::Tensor k = at::empty({rows, kv_heads, head_size}, x.options());
  at::Tensor v = at::empty({rows, kv_heads, head_size}, x.options());
  rotate_rows({x.data_ptr(), is_bfloat16(x), static_cast<int>(rows), static_cast<int>(heads),
               static_cast<int>(kv_heads), static_cast<int>(head_size), table.data_ptr(),
               positions.data_ptr<std::int64_t>(), q.data_ptr(), k.data_ptr(), v.data_ptr()});
  return {q, k, v};
}

}  // namespace

TORCH_LIBRARY(polar, library) {
  library.def("linear(Tensor rows, Tensor packed, int outputs, Tensor? bias, Tensor? residual) -> Tensor");
  library.def("gated_linear(Tensor rows, Tensor packed, int outputs) -> Tensor");
  library.def("rms_norm(Tensor rows, Tensor? weight, float eps) -> Tensor");
  library.def(
      "rotary(Tensor projected, Tensor table, Tensor positions, int heads, int turned) -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(polar, CPU, library) {
  library.impl("linear", linear);
  library.impl("gated_linear", gated_linear);
  library.impl("rms_norm", rms_norm);
  library.impl("rotary", rotary);
}

namespace {

// --- The rewriting --------------------------------------------------------------------------------------------------

std::optional<at::Tensor> constant_tensor(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isTensor() ? std::optional(constant->toTensor()) : std::nullopt;
}

bool is_none(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isNone();
}

bool is_constant(const Value* value, std::int64_t expected) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isInt() && constant->toInt() == expected;
}

/// The only user of a value, when it is of this kind.
Node* only_user(const Value* value, const char* kind) {
  if (value->uses().size() != 1) return nullptr;
  Node* user = value->uses().front().user;
  return user->kind() == c10::Symbol::fromQualString(kind) ? user : nullptr;
}

at::Tensor uninitialised(at::IntArrayRef sizes, const at::TensorOptions& options, LargePages& memory) {
  const auto elements = static_cast<std::size_t>(c10::multiply_integers(sizes));
  const std::shared_ptr<std::byte> piece = memory.allocate(elements * options.dtype().itemsize());
  return at::from_blob(piece.get(), sizes, [piece](void*) {}, options);
}

/// Sizes that tell the format, see view_of().
std::vector<std::int64_t> packed_sizes(std::int64_t panels, int inputs, PackedFormat format) {
  switch (format) {
    case PackedFormat::kPairs:
      return {panels, pair_inputs(inputs) / 2, kPanelColumns, 2};
    case PackedFormat::kTiles:
      return {panels, tile_inputs(inputs) / kTileInputs, kPanelColumns / kTileSize, kTileSize, kTileInputs};
    default:
      return {panels, inputs, kPanelColumns};
  }
}

at::Tensor packed(const at::Tensor& weight, bool gated, PackedFormat halves, LargePages& memory) {
  const at::Tensor rows = weight.contiguous();
  const int outputs = static_cast<int>(rows.size(0)), inputs = static_cast<int>(rows.size(1));
  const std::int64_t panels = panel_count(outputs);
  if (!is_bfloat16(rows)) {
    at::Tensor out = uninitialised(packed_sizes(panels, inputs, PackedFormat::kFloat32), rows.options(), memory);
    pack(rows.data_ptr<float>(), outputs, inputs, gated, PackedFormat::kFloat32, out.data_ptr<float>());
    return out;
  }
  at::Tensor out = uninitialised(packed_sizes(panels, inputs, halves), rows.options(), memory);
  pack(reinterpret_cast<const std::uint16_t*>(rows.data_ptr()), outputs, inputs, gated, halves,
       reinterpret_cast<std::uint16_t*>(out.data_ptr()));
  return out;
}

/// mul(silu(gate), up) behind linear → chunk(2, −1), where nothing else sees the parts; nullptr when it is not there.
Node* gated_product(const Node* linear_node) {
  Node* chunk = only_user(linear_node->output(), "aten::chunk");
  if (chunk == nullptr || !is_constant(chunk->input(1), 2) || !is_constant(chunk->input(2), -1)) return nullptr;
  Node* unpack = only_user(chunk->output(), "prim::ListUnpack");
  if (unpack == nullptr || unpack->outputs().size() != 2) return nullptr;
  Node* silu = only_user(unpack->output(0), "aten::silu");
  if (silu == nullptr) return nullptr;
  Node* product = only_user(silu->output(), "aten::mul");
  if (product == nullptr || only_user(unpack->output(1), "aten::mul") != product) return nullptr;
  return product;
}

/// add(other, linear) with factor 1, where nothing else sees the linear's output.
Node* residual_sum(const Node* linear_node) {
  Node* sum = only_user(linear_node->output(), "aten::add");
  if (sum == nullptr || sum->inputs().size() != 3 || !is_constant(sum->input(2), 1)) return nullptr;
  const Value* other = sum->input(sum->input(0) == linear_node->output() ? 1 : 0);
  const bool rows = other->type()->kind() == c10::TypeKind::TensorType && !torch::jit::toIValue(other);
  return rows ? sum : nullptr;  // a number or a constant, such as a bias added apart, has not the output's shape
}

class Rewriter {
 public:
  Rewriter(Graph& graph, PackedFormat halves, LargePages& memory) : graph_(graph), halves_(halves), memory_(memory) {}

  Rewrites rewrite() {
    const std::vector<Node*> nodes(graph_.nodes().begin(), graph_.nodes().end());
    for (Node* node : nodes) {
      if (node->kind() == c10::aten::linear) replace_linear(node);
      if (node->kind() == c10::Symbol::fromQualString("aten::rms_norm")) replace_norm(node);
    }
    return done_;
  }

 private:
  void replace(Node* old, Value* fresh) {
    fresh->setType(old->output()->type());
    old->output()->replaceAllUsesWith(fresh);
  }

  void replace_linear(Node* node) {
    const auto weight = constant_tensor(node->input(1));
    const auto bias = constant_tensor(node->input(2));
    const bool fits = weight && weight->dim() == 2 && (bias || is_none(node->input(2))) &&
                      (weight->scalar_type() == at::kFloat || weight->scalar_type() == at::kBFloat16);
    if (!fits) {
      ++done_.plain_linear;
      return;
    }
    const std::int64_t outputs = weight->size(0);
    Node* product = !bias && outputs % 32 == 0 ? gated_product(node) : nullptr;
    Node* last = product != nullptr ? product : residual_sum(node);
    if (last == nullptr) last = node;
    const torch::jit::WithInsertPoint behind(last);
    const auto insert = [&](const char* name, at::ArrayRef<torch::jit::NamedValue> inputs) {
      return graph_.insert(c10::Symbol::fromQualString(name), inputs);
    };
    Value* panels = graph_.insertConstant(packed(*weight, product != nullptr, halves_, memory_));
    if (product != nullptr) {
      ++done_.gated;
      return replace(last, insert("polar::gated_linear", {node->input(0), panels, outputs}));
    }
    ++done_.linear;
    Value* residual = graph_.insertConstant(c10::IValue());
    if (last != node) residual = last->input(last->input(0) == node->output() ? 1 : 0);
    replace(last, insert("polar::linear", {node->input(0), panels, outputs, node->input(2), residual}));
  }

  void replace_norm(Node* node) {
    const auto shape = torch::jit::toIValue(node->input(1));
    const auto eps = torch::jit::toIValue(node->input(3));
    if (!shape || !shape->isIntList() || shape->toIntVector().size() != 1 || !eps || !eps->isDouble()) return;
    if (!constant_tensor(node->input(2)) && !is_none(node->input(2))) return;
    const torch::jit::WithInsertPoint behind(node);
    replace(node, graph_.insert(c10::Symbol::fromQualString("polar::rms_norm"),
                                {node->input(0), node->input(2), eps->toDouble()}));
    ++done_.rms_norm;
  }

  Graph& graph_;
  PackedFormat halves_;
  LargePages& memory_;
  Rewrites done_;
};

/// The exporter's rotary encoding behind the fused projection (scripts/polar_export/llama.py, Layer.attend_in).
constexpr const char* kPlainRotary = R"(
graph(%projected, %shape, %table, %zero, %positions, %one, %two, %last, %none, %turned, %heads):
  %qkv = aten::view(%projected, %shape)
  %rows = aten::index_select(%table, %zero, %positions)
  %wide = aten::unsqueeze(%rows, %one)
  %parts = aten::chunk(%wide, %two, %last)
  %cos, %sin = prim::ListUnpack(%parts)
  %all = aten::slice(%qkv, %zero, %none, %none, %one)
  %qk_in = aten::slice(%all, %one, %none, %turned, %one)
  %halves = aten::chunk(%qk_in, %two, %last)
  %first, %second = prim::ListUnpack(%halves)
  %a = aten::mul(%first, %cos)
  %b = aten::mul(%second, %sin)
  %c = aten::sub(%a, %b, %one)
  %d = aten::mul(%second, %cos)
  %e = aten::mul(%first, %sin)
  %f = aten::add(%d, %e, %one)
  %both = prim::ListConstruct(%c, %f)
  %qk = aten::cat(%both, %last)
  %q_all = aten::slice(%qk, %zero, %none, %none, %one)
  %q_part = aten::slice(%q_all, %one, %none, %heads, %one)
  %q = aten::contiguous(%q_part, %zero)
  %k_all = aten::slice(%qk, %zero, %none, %none, %one)
  %k_part = aten::slice(%k_all, %one, %heads, %none, %one)
  %k = aten::contiguous(%k_part, %zero)
  %v_all = aten::slice(%qkv, %zero, %none, %none, %one)
  %v_part = aten::slice(%v_all, %one, %turned, %none, %one)
  %v = aten::contiguous(%v_part, %zero)
  %result = prim::TupleConstruct(%q, %k, %v)
  return (%result))";

constexpr const char* kRotary = R"(
graph(%projected, %shape, %table, %zero, %positions, %one, %two, %last, %none, %turned, %heads):
  %q, %k, %v = polar::rotary(%projected, %table, %positions, %heads, %turned)
  %result = prim::TupleConstruct(%q, %k, %v)
  return (%result))";

bool rotary_fits(const torch::jit::Match& match, const std::unordered_map<std::string, Value*>& names) {
  const auto value = [&](const char* name) { return match.values_map.at(names.at(name)); };
  const auto shape = torch::jit::toIValue(value("shape"));
  const auto table = constant_tensor(value("table"));
  const auto turned = torch::jit::toIValue(value("turned")), heads = torch::jit::toIValue(value("heads"));
  if (!shape || !shape->isIntList() || shape->toIntVector().size() != 3 || !table || !turned || !heads) return false;
  if (!turned->isInt() || !heads->isInt()) return false;
  // view(−1, heads + 2·kv_heads, h) of a table with rows of h values
  const std::vector<std::int64_t> sizes = shape->toIntVector();
  return is_constant(value("zero"), 0) && is_constant(value("one"), 1) && is_constant(value("two"), 2) &&
         is_constant(value("last"), -1) && is_none(value("none")) && sizes[0] == -1 &&
         sizes[1] == 2 * turned->toInt() - heads->toInt() && sizes[2] == table->size(1) && table->is_contiguous() &&
         sizes[2] % 2 == 0;
}

}  // namespace

Rewrites use_row_operators(torch::jit::Module& module, const std::vector<std::string>& methods, PackedFormat halves,
                           LargePages& memory) {
  Rewrites done;
  for (const std::string& name : methods) {
    std::shared_ptr<Graph> graph = module.get_method(name).graph();
    torch::jit::SubgraphRewriter rotary;
    rotary.RegisterRewritePattern(kPlainRotary, kRotary);
    rotary.runOnGraph(graph, rotary_fits);
    for (const Node* node : graph->nodes()) done.rotary += node->kind() == c10::Symbol::fromQualString("polar::rotary");
    const Rewrites part = Rewriter(*graph, halves, memory).rewrite();
    done.linear += part.linear, done.gated += part.gated, done.rms_norm += part.rms_norm;
    done.plain_linear += part.plain_linear;
    torch::jit::EliminateDeadCode(graph);
  }
  return done;
}

}  // namespace polar::pool
