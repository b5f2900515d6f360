"""A BERT encoder as one plain TorchScript module (aten operators only), and its package: encoder.ts, tokenizer.json, encoder.json.

A policy may read its states of a question in place of the pool's own layers (predict.features: encoder). It is run whole, never as a
program: no layer of it is skipped or repeated.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from . import ExportError, package
from .llama import frozen
from .source import licence_of, read_json

FORMAT_VERSION = 1
TOLERANCE = 1e-4  # float32, against transformers
PROBE_LENGTHS = (1, 2, 7, 64)
FACTS = ("num_hidden_layers", "num_attention_heads", "layer_norm_eps", "hidden_act")  # of config.json, beside the tensors' shapes
COMPONENTS = {"model": "WordPiece", "normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer", "post_processor": "TemplateProcessing"}
BEFORE = ("", "bert.", "model.")  # what names of tensors may begin with


class Block(torch.nn.Module):
    """Post-norm: attention over the whole text, then a feed-forward with the exact GELU."""

    heads: Final[int]
    eps: Final[float]

    def __init__(self, config, weights, before):
        super().__init__()
        self.heads, self.eps = config["num_attention_heads"], config["layer_norm_eps"]
        names = ["attention.self." + name for name in ("query", "key", "value")]
        self.qkv = frozen(torch.cat([weights[f"{before}{name}.weight"] for name in names]))  # [3 d, d]
        self.qkv_bias = frozen(torch.cat([weights[f"{before}{name}.bias"] for name in names]))
        for own, name in {"out": "attention.output.dense", "attention_norm": "attention.output.LayerNorm", "inner": "intermediate.dense",
                          "outer": "output.dense", "norm": "output.LayerNorm"}.items():
            setattr(self, own, frozen(weights[f"{before}{name}.weight"]))
            setattr(self, own + "_bias", frozen(weights[f"{before}{name}.bias"]))

    def forward(self, hidden: Tensor) -> Tensor:
        """[T, d] -> [T, d]"""
        tokens, width = hidden.size(0), hidden.size(1)
        qkv = F.linear(hidden, self.qkv, self.qkv_bias).view(tokens, 3, self.heads, width // self.heads).permute(1, 2, 0, 3)
        attended = F.scaled_dot_product_attention(qkv[0].unsqueeze(0), qkv[1].unsqueeze(0), qkv[2].unsqueeze(0))
        attended = attended.squeeze(0).transpose(0, 1).reshape(tokens, width)
        hidden = F.layer_norm(hidden + F.linear(attended, self.out, self.out_bias), [width], self.attention_norm, self.attention_norm_bias,
                              self.eps)
        inner = F.gelu(F.linear(hidden, self.inner, self.inner_bias))
        return F.layer_norm(hidden + F.linear(inner, self.outer, self.outer_bias), [width], self.norm, self.norm_bias, self.eps)


class Encoder(torch.nn.Module):
    eps: Final[float]

    def __init__(self, config, weights):
        super().__init__()
        self.eps = config["layer_norm_eps"]
        self.words = frozen(weights["embeddings.word_embeddings.weight"])  # [V, d]
        # One text and no second one: its type is always the first.
        self.positions = frozen(weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0])
        self.norm = frozen(weights["embeddings.LayerNorm.weight"])
        self.norm_bias = frozen(weights["embeddings.LayerNorm.bias"])
        self.blocks = torch.nn.ModuleList(Block(config, weights, f"encoder.layer.{i}.") for i in range(config["num_hidden_layers"]))

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens int64 [T] of one text, [CLS] and [SEP] included -> states float32 [T, d]"""
        hidden = F.embedding(tokens, self.words) + self.positions[:tokens.size(0)]
        hidden = F.layer_norm(hidden, [hidden.size(1)], self.norm, self.norm_bias, self.eps)
        for block in self.blocks:
            hidden = block(hidden)
        return hidden


def read_folder(folder):
    """config.json and the tensors of model.safetensors, float32, under the names that transformers' BertModel gives them."""
    config = read_json(folder / "config.json")
    for key, known in {"model_type": ["bert"], "hidden_act": ["gelu"], "position_embedding_type": ["absolute", None]}.items():
        if config.get(key) not in known:
            raise ExportError(f"{folder / 'config.json'}: {key}: expected {known[0]}, found {config.get(key)}: only BERT encoders are exported")
    for name in ("model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ExportError(f"{folder / name}: expected a file of the encoder's Hugging Face folder, found none")
    tokenizer = read_json(folder / "tokenizer.json")
    for component, known in COMPONENTS.items():
        found = (tokenizer.get(component) or {}).get("type")
        if found != known:
            raise ExportError(f"{folder / 'tokenizer.json'}: {component}: expected {known}, found {found}: only WordPiece as BERT has it is read")
    stored = load_file(folder / "model.safetensors")
    before = next((start for start in BEFORE if f"{start}embeddings.word_embeddings.weight" in stored), None)
    if before is None:
        raise ExportError(f"{folder / 'model.safetensors'}: expected embeddings.word_embeddings.weight, found none")
    return config, {name.removeprefix(before): tensor.float() for name, tensor in stored.items()}


def verify(script, folder, config):
    """Largest difference from transformers' own model; an ExportError where it is more than TOLERANCE."""
    own = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").float().eval()
    largest = 0.0
    with torch.inference_mode():
        for length in (n for n in PROBE_LENGTHS if n <= config["max_position_embeddings"]):
            tokens = torch.randint(0, config["vocab_size"], (length,), generator=torch.Generator().manual_seed(length))
            largest = max(largest, (script(tokens) - own(tokens[None]).last_hidden_state[0]).abs().max().item())
    if not largest <= TOLERANCE:
        raise ExportError(f"{folder}: expected states within {TOLERANCE} of transformers', found a difference of {largest:.2e}")
    return largest


def export(folder, out, name=None, licence=None, log=print):
    folder, out = Path(folder), Path(out)
    config, weights = read_folder(folder)
    script = torch.jit.script(Encoder(config, weights).eval())
    limit = read_json(folder / "sentence_bert_config.json", {}).get("max_seq_length") or config["max_position_embeddings"]
    context = min(limit, config["max_position_embeddings"])
    log(f"at most {verify(script, folder, config):.1e} from transformers")
    tokenizer_json = (folder / "tokenizer.json").read_bytes()
    facts = {"architecture": "bert", "context": context} | {key: config[key] for key in FACTS}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode() + b"\n" + tokenizer_json)
    package.add_tensors(digest, weights, "float32")
    with package.staging_folder(out, False, "choose another, or remove it") as staged:
        files = {"encoder.ts": package.write_module(staged / "encoder.ts", script),
                 "tokenizer.json": package.write(staged / "tokenizer.json", tokenizer_json)}
        manifest = {
            "format_version": FORMAT_VERSION, "kind": "encoder", "name": name or folder.resolve().name, "architecture": "bert",
            "licence": licence or licence_of(folder), "width": config["hidden_size"], "context": context,
            "files": files, "digest": digest.hexdigest(),
            "exported_with": package.versions(),
        }
        package.write(staged / "encoder.json", json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n")
        package.publish(staged, out, False)
    log(f"{out}: {manifest['name']}, states of {manifest['width']} values, texts of at most {manifest['context']} tokens")
    return manifest
