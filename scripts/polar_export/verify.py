"""Compares a written pool package with transformers, through a small executor of its own: packed rows, plain masked attention.

Four programs (the identity, a skip, a loop, two overlapping loops), each on the same prompts, full passes and cached decoding:
  float32   max |logit - transformers' float32 logit| <= 1e-3, and the same greedy tokens
  bfloat16  max |logit - transformers' bfloat16 logit| <= bound = 2 x max |transformers' bfloat16 - float32 logit|, measured per program
            on the same sequences, and the same argmax as float32 wherever float32's top two lie further apart than that bound. One row
            of large activations sets that maximum, so the root mean square is held to the same factor, against float32.
"""

import copy
import time
import warnings
from contextlib import nullcontext

import torch
from tokenizers import Tokenizer
from torch.utils._python_dispatch import TorchDispatchMode

from . import ExportError
from .prompts import PROMPTS

NEW_TOKENS = 32
MAX_PROMPT_TOKENS = 48
FLOAT32_TOLERANCE = 1e-3
BFLOAT16_FACTOR = 2.0
PRODUCTS = (torch.ops.aten.mm.default, torch.ops.aten.addmm.default, torch.ops.aten.linear.default)
TIE = 1e-5  # float32 logits closer than this may come in either order


class WideProducts(TorchDispatchMode):
    """bfloat16 matrix products by float32 kernels, rounded once at the end, as processors with bfloat16 units do it. For those without:
    LibTorch's own kernels need nine times as long there."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function in PRODUCTS and all(getattr(matrix, "dtype", None) == torch.bfloat16 for matrix in args):
            return function(*(matrix.float() for matrix in args), **(kwargs or {})).bfloat16()
        return function(*args, **(kwargs or {}))


def fast_products():
    return nullcontext() if torch.ops.mkldnn._is_mkldnn_bf16_supported() else WideProducts()


class Pool:
    """The written files, loaded as the runtime loads them: read, cast, frozen."""

    def __init__(self, folder, depth, dtype):
        def load(name, methods=None):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                return torch.jit.freeze(torch.jit.load(str(folder / name)).eval().to(dtype), preserved_attrs=methods)

        self.embed, self.head = load("embed.ts"), load("head.ts")
        self.layers = [load(f"layer_{index:03d}.ts", ["attend_in", "attend_out"]) for index in range(depth)]


class Executor:
    """Runs one program over some sequences. Every program step has its own key and value slots, filled in place."""

    def __init__(self, pool, program, sequences, longest, config):
        shape = (len(program), 2, sequences, longest, config.num_key_value_heads, config.head_dim)
        self.pool, self.program = pool, program
        self.cache = torch.zeros(shape)  # float32 whatever the modules compute in: exact, and plain to read
        self.groups = config.num_attention_heads // config.num_key_value_heads
        self.scale = config.head_dim**-0.5

    def forward(self, tokens, owner, positions, read=None):
        """Packed rows: token, sequence and position of each -> logits float32 [N, V], or of the rows `read` only. Rows of earlier calls
        are the past; a call's rows of one sequence have consecutive positions."""
        hidden = self.pool.embed(tokens)
        first = torch.zeros(self.cache.size(2), dtype=torch.long).scatter_reduce_(0, owner, positions, "amin", include_self=False)
        for step, layer in enumerate(self.program):
            module = self.pool.layers[layer]
            q, k, v = module.attend_in(hidden, positions)
            self.cache[step, 0, owner, positions], self.cache[step, 1, owner, positions] = k.float(), v.float()
            attention = self.attend(step, q.float(), owner, positions, positions - first[owner])
            hidden = module.attend_out(hidden, attention.to(hidden.dtype))
        return self.pool.head(hidden if read is None else hidden[read])

    def attend(self, step, q, owner, positions, column):
        """q [N, H, h] -> [N, H h]: softmax over the keys of the row's own sequence up to its own position. Rows stand at
        [owner, column] of a padded block meanwhile; padding sees position 0."""
        block, seen = (self.cache.size(2), int(column.max()) + 1), int(positions.max()) + 1
        queries = q.new_zeros(*block, q.size(1) // self.groups, self.groups, q.size(2))
        queries[owner, column] = q.unflatten(1, (-1, self.groups))
        own = torch.zeros(block, dtype=torch.long)
        own[owner, column] = positions
        k, v = self.cache[step, :, :, :seen]
        scores = torch.einsum("bcngh,btnh->bngct", queries, k) * self.scale
        future = torch.arange(seen) > own[:, None, None, :, None]
        weights = scores.masked_fill(future, -torch.inf).softmax(-1)
        return torch.einsum("bngct,btnh->bcngh", weights, v)[owner, column].flatten(1)


class Reference:
    """transformers' model with its layers rearranged; every program step has its own cache slot."""

    def __init__(self, model):
        self.model, self.layers = model, list(model.model.layers)

    def set_program(self, program):
        picked, seen = [], set()
        for step, index in enumerate(program):
            layer = self.layers[index]
            if index in seen:  # same weights, own slot
                layer = copy.deepcopy(layer, {id(parameter): parameter for parameter in layer.parameters()})
            seen.add(index)
            layer.self_attn.layer_idx = step
            picked.append(layer)
        self.model.model.layers = torch.nn.ModuleList(picked)
        self.model.config.num_hidden_layers = len(program)

    def decode(self, prompts):
        """Greedy cached decoding of left-padded prompts -> tokens [B, NEW_TOKENS], the logits that chose them [B, NEW_TOKENS, V]."""
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(one)) + one for one in prompts])
        mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts])
        out = self.model.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1, use_cache=True, eos_token_id=None,
            pad_token_id=0, output_logits=True, return_dict_in_generate=True, repetition_penalty=1.0,
        )
        return out.sequences[:, longest:], torch.stack(out.logits, 1).float()

    def full(self, sequences):
        """One pass over right-padded sequences, where causal attention needs no mask -> packed logits float32 [N, V]."""
        longest = max(map(len, sequences))
        ids = torch.tensor([one + [0] * (longest - len(one)) for one in sequences])
        logits = self.model(input_ids=ids, use_cache=False).logits
        return torch.cat([row[: len(one)].float() for row, one in zip(logits, sequences)])


def programs(depth):
    """The identity, a skip, a loop and two loops that overlap, around the middle of the model."""
    middle, every = depth // 2, list(range(depth))
    low = max(middle - 2, 0)
    overlapping = every[: middle + 1] + every[low : middle + 2] + every[max(middle - 1, 0) :]
    return {"identity": every, "skip": every[:middle] + every[middle + 1 :] or every, "loop": every[: middle + 1] + every[low:],
            "overlapping loops": overlapping}


def encode_prompts(source):
    tokenizer = Tokenizer.from_str(source.tokenizer_json)
    limit = min(MAX_PROMPT_TOKENS, source.context - NEW_TOKENS)
    if limit < 1:
        raise ExportError(f"context: expected more than {NEW_TOKENS} tokens, so that the pool can be verified, found {source.context}")
    return [tokenizer.encode(text).ids[:limit] for text in PROMPTS]


def pack(sequences):
    """-> tokens, owner, positions of all rows."""
    tokens = torch.tensor([token for one in sequences for token in one])
    owner = torch.tensor([index for index, one in enumerate(sequences) for _ in one])
    return tokens, owner, torch.cat([torch.arange(len(one)) for one in sequences])


def full(pool, program, sequences, config):
    return Executor(pool, program, len(sequences), max(map(len, sequences)), config).forward(*pack(sequences))


def decode(pool, program, prompts, continuation, config):
    """Prefill, then one row per sequence and call, each fed the reference's token -> logits [B, NEW_TOKENS, V]."""
    count, lengths = len(prompts), torch.tensor([len(one) for one in prompts])
    executor = Executor(pool, program, count, int(lengths.max()) + NEW_TOKENS, config)
    last = lengths.cumsum(0) - 1
    logits = [executor.forward(*pack(prompts), read=last)]
    for at in range(NEW_TOKENS - 1):
        logits.append(executor.forward(continuation[:, at], torch.arange(count), lengths + at))
    return torch.stack(logits, 1)


def gaps(logits):
    top = logits.topk(2, -1).values
    return top[..., 0] - top[..., 1]


def compare(what, ours, theirs, bound, exact=None):
    """Raises unless |ours - theirs| <= bound and the argmax of ours equals that of `exact` (float32) where its gap is decisive.
    Returns the largest difference."""
    worst = float((ours - theirs).abs().max())
    if not worst <= bound:  # a NaN is a mismatch too
        raise ExportError(f"verification: {what}: expected logits within {bound:.3g} of transformers, found {worst:.3g}; nothing was written")
    exact, decisive = (theirs, TIE) if exact is None else (exact, bound)
    wrong = (ours.argmax(-1) != exact.argmax(-1)) & (gaps(exact) > decisive)
    if wrong.any():
        raise ExportError(f"verification: {what}: expected transformers' tokens, found {int(wrong.sum())} others; nothing was written")
    return worst


def compare_spread(what, ours, theirs, exact):
    """Raises unless ours is at most BFLOAT16_FACTOR as far from exact as theirs, in root mean square."""
    found, allowed = float((ours - exact).square().mean().sqrt()), BFLOAT16_FACTOR * float((theirs - exact).square().mean().sqrt())
    if not found <= allowed:
        raise ExportError(f"verification: {what}: expected logits within {allowed:.3g} of float32 in root mean square, found {found:.3g}; "
                          "nothing was written")


def verify_program(name, program, pools, references, prompts, config):
    """Returns (float32 difference, bfloat16 difference, its bound)."""
    exact, rough = references
    exact.set_program(program)
    tokens, cached_exact = exact.decode(prompts)
    sequences = [prompt + row for prompt, row in zip(prompts, tokens.tolist())]
    full_exact = exact.full(sequences)
    rough.set_program(program)
    full_rough = rough.full(sequences)
    bound = BFLOAT16_FACTOR * float((full_rough - full_exact).abs().max())

    ours = full(pools[0], program, sequences, config)
    worst = compare(f"{name}: float32, full pass", ours, full_exact, FLOAT32_TOLERANCE)
    ours = decode(pools[0], program, prompts, tokens, config)
    worst = max(worst, compare(f"{name}: float32, cached decoding", ours, cached_exact, FLOAT32_TOLERANCE))

    ours = full(pools[1], program, sequences, config)
    rounded = compare(f"{name}: bfloat16, full pass", ours, full_rough, bound, full_exact)
    compare_spread(f"{name}: bfloat16, full pass", ours, full_rough, full_exact)
    ours = decode(pools[1], program, prompts, tokens, config)
    # The rows of the full pass that chose the new tokens: what transformers' bfloat16 says at the same positions.
    ends = torch.tensor([len(one) for one in sequences]).cumsum(0)
    rows = (ends - 1 - NEW_TOKENS).unsqueeze(1) + torch.arange(NEW_TOKENS)
    rounded = max(rounded, compare(f"{name}: bfloat16, cached decoding", ours, full_rough[rows], bound, cached_exact))
    return worst, rounded, bound


@torch.inference_mode()
def verify(folder, source, log=print):
    """Raises ExportError on the first mismatch between the files in `folder` and transformers' model of `source`."""
    started = time.monotonic()
    depth, dtypes = source.config.num_hidden_layers, (torch.float32, torch.bfloat16)
    prompts = encode_prompts(source)
    pools = [Pool(folder, depth, dtype) for dtype in dtypes]
    references = [Reference(source.reference(dtype)) for dtype in dtypes]
    for name, program in programs(depth).items():
        with fast_products():
            worst, rounded, bound = verify_program(name, program, pools, references, prompts, source.config)
        log(f"verified {name} ({len(program)} layers, {len(prompts)} prompts, {NEW_TOKENS} new tokens): float32 within {worst:.1e}, "
            f"bfloat16 within {rounded:.3f} of {bound:.3f} allowed")
    log(f"verified in {time.monotonic() - started:.0f} s")
