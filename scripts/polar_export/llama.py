"""The modules of a pool package for the llama architecture, in plain TorchScript (aten operators only).

Rows are packed: a row is one position of one sequence, and no row's result depends on another row. Nothing here attends: the
executor does, between attend_in and attend_out. N rows, d hidden, H heads, Hkv key/value heads, h head size, V vocabulary.
"""

from typing import Final, Optional, Tuple

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn import functional as F


class Embed(torch.nn.Module):
    def __init__(self, weight: Tensor):
        super().__init__()
        self.weight = Parameter(weight, requires_grad=False)  # [V, d]

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens int64 [N] -> hidden [N, d]"""
        return F.embedding(tokens, self.weight)


class Layer(torch.nn.Module):
    """One decoder layer around an attention that somebody else computes.

    `rope` is a table and not inverse frequencies: cosines and sines survive a cast to bfloat16 (transformers casts them too), while
    positions and frequencies in bfloat16 would be wrong from position 257 on.
    """

    heads: Final[int]
    kv_heads: Final[int]
    head_size: Final[int]
    hidden: Final[int]
    eps: Final[float]

    def __init__(self, config, weights, rope: Tensor):
        """weights: name below model.layers.<i> -> tensor, as transformers names them. rope: see rope_table."""
        super().__init__()
        self.heads = config.num_attention_heads
        self.kv_heads = config.num_key_value_heads
        self.head_size = config.head_dim
        self.hidden = config.hidden_size
        self.eps = config.rms_norm_eps
        attention, mlp = "self_attn.", "mlp."
        self.register_buffer("rope", rope)  # [context, h]
        self.attention_norm = frozen(weights["input_layernorm.weight"])  # [d]
        self.qkv = fuse(weights, [attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"])
        self.qkv_bias = fuse(weights, [attention + "q_proj.bias", attention + "k_proj.bias", attention + "v_proj.bias"])
        self.out = frozen(weights[attention + "o_proj.weight"])  # [d, H h]
        self.out_bias = frozen(weights.get(attention + "o_proj.bias"))
        self.mlp_norm = frozen(weights["post_attention_layernorm.weight"])  # [d]
        self.gate_up = fuse(weights, [mlp + "gate_proj.weight", mlp + "up_proj.weight"])  # [2 inner, d]
        self.gate_up_bias = fuse(weights, [mlp + "gate_proj.bias", mlp + "up_proj.bias"])
        self.down = frozen(weights[mlp + "down_proj.weight"])  # [d, inner]
        self.down_bias = frozen(weights.get(mlp + "down_proj.bias"))

    @torch.jit.export
    def attend_in(self, hidden: Tensor, positions: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """hidden [N, d], positions int64 [N] -> q [N, H, h], k [N, Hkv, h], v [N, Hkv, h], contiguous; rope applied to q and k."""
        normed = torch.rms_norm(hidden, [self.hidden], self.attention_norm, self.eps)
        qkv = F.linear(normed, self.qkv, self.qkv_bias).view(-1, self.heads + 2 * self.kv_heads, self.head_size)
        turned = self.heads + self.kv_heads
        cos, sin = self.rope.index_select(0, positions).unsqueeze(1).chunk(2, -1)
        first, second = qkv[:, :turned].chunk(2, -1)
        qk = torch.cat((first * cos - second * sin, second * cos + first * sin), -1)
        return qk[:, : self.heads].contiguous(), qk[:, self.heads :].contiguous(), qkv[:, turned:].contiguous()

    @torch.jit.export
    def attend_out(self, hidden: Tensor, attention: Tensor) -> Tensor:
        """hidden [N, d] as given to attend_in, attention [N, H h] -> hidden [N, d]"""
        hidden = hidden + F.linear(attention, self.out, self.out_bias)
        normed = torch.rms_norm(hidden, [self.hidden], self.mlp_norm, self.eps)
        gate, up = F.linear(normed, self.gate_up, self.gate_up_bias).chunk(2, -1)
        return hidden + F.linear(F.silu(gate) * up, self.down, self.down_bias)


class Head(torch.nn.Module):
    hidden: Final[int]
    eps: Final[float]

    def __init__(self, config, norm: Tensor, weight: Tensor):
        super().__init__()
        self.hidden = config.hidden_size
        self.eps = config.rms_norm_eps
        self.norm = frozen(norm)  # [d]
        self.weight = frozen(weight)  # [V, d]

    def forward(self, hidden: Tensor) -> Tensor:
        """hidden [N, d] -> logits float32 [N, V]"""
        return F.linear(torch.rms_norm(hidden, [self.hidden], self.norm, self.eps), self.weight).float()


def frozen(tensor: Optional[Tensor]) -> Optional[Parameter]:
    return None if tensor is None else Parameter(tensor.contiguous(), requires_grad=False)


def fuse(weights, names) -> Optional[Parameter]:
    """One matrix (or bias) out of several: output rows in the order of the names. None when the model has none of them."""
    if names[0] not in weights:
        return None
    return frozen(torch.cat([weights[name] for name in names]))


def rope_table(config, context: int) -> Tensor:
    """float32 [context, h]: row p holds cos then sin of p * inverse frequency (h/2 each), as transformers computes them."""
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    positions = torch.arange(context).unsqueeze(0)
    cos, sin = LlamaRotaryEmbedding(config)(torch.empty(0), positions)  # [1, context, h], both halves alike
    half = config.head_dim // 2
    return torch.cat((cos[0, :, :half], sin[0, :, :half]), -1)


def build(source):
    """Yields (file name, module) of every module file. source.weights keeps transformers' names."""
    config, weights = source.config, source.weights
    yield "embed.ts", Embed(weights["model.embed_tokens.weight"])
    rope = rope_table(config, source.context)
    for index in range(config.num_hidden_layers):
        prefix = f"model.layers.{index}."
        own = {name[len(prefix) :]: tensor for name, tensor in weights.items() if name.startswith(prefix)}
        yield f"layer_{index:03d}.ts", Layer(config, own, rope)
    yield "head.ts", Head(config, weights["model.norm.weight"], weights["lm_head.weight"])
