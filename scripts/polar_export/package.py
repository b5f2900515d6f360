"""The pool package: module files, pool.json with its digests, and the temporary folder that becomes the pool."""

import contextlib
import hashlib
import io
import json
import os
import platform
import shutil
import tempfile
import warnings
from pathlib import Path

import tokenizers
import torch
import transformers

from . import ExportError, llama, tokenizer, verify

FORMAT_VERSION = 1
EXPORTER_VERSION = 1


def export(source, out, force=False, log=print):
    """Writes the pool, verifies it against transformers and only then lets it appear as `out`. Returns the manifest."""
    out = Path(out)
    with staging_folder(out, force) as folder:
        # 1. Module files and tokenizer.
        files = write_files(source, folder)
        # 2. What they are: pool.json.
        manifest = describe(source, files)
        write(folder / "pool.json", sealed(manifest))
        log(f"written {sum(entry['bytes'] for entry in files.values()) / 1e6:.0f} MB, weights digest {manifest['weights_digest'][:16]}")
        # 3. The written files, read back, must compute what transformers computes.
        verify.verify(folder, source, log)
        # 4. Everything is right: let it appear.
        publish(folder, out, force)
    return manifest


def write_files(source, folder):
    """Returns file name -> {bytes, sha256}."""
    files = {}
    for name, module in llama.build(source):
        files[name] = write_module(folder / name, torch.jit.script(module.eval()))
    files["tokenizer.json"] = write(folder / "tokenizer.json", source.tokenizer_json.encode())
    return files


def write_module(path, script):
    buffer = io.BytesIO()  # so that a full disk is an OSError, not a failed assertion inside LibTorch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript: see libtorch notes in pool/
        torch.jit.save(script, buffer)
    return write(path, buffer.getvalue())


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def sealed(manifest):
    """The text of pool.json. manifest_sha256 becomes the digest of that text with its own digits written as zeros, so that a changed
    byte is seen here too."""
    manifest["manifest_sha256"] = "0" * 64

    def text():
        return json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n"

    manifest["manifest_sha256"] = hashlib.sha256(text()).hexdigest()
    return text()


def describe(source, files):
    config = source.config
    attention = {"kind": "causal", "window": None, "scale": config.head_dim**-0.5, "softcap": None}
    layers = [name for name in files if name.startswith("layer_")]
    return {
        "format_version": FORMAT_VERSION,
        "kind": "decoder",
        "model": {"name": source.provenance["name"], "architecture": "llama"} | source.provenance,
        "shape": {"depth": config.num_hidden_layers, "hidden": config.hidden_size, "heads": config.num_attention_heads,
                  "kv_heads": config.num_key_value_heads, "head_size": config.head_dim, "vocabulary": config.vocab_size,
                  "context": source.context},
        "dtype": source.dtype,
        "layers": [{"file": name, "attention": attention} for name in layers],
        "embed": "embed.ts",
        "head": "head.ts",
        "tokenizer": "tokenizer.json",
        "bos_id": source.bos_id,
        "eos_ids": source.eos_ids,
        "chat": source.chat,
        "files": files,
        "weights_digest": weights_digest(source),
        "exported_with": {"exporter": EXPORTER_VERSION} | versions(),
    }


def versions():
    return {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
            "python": platform.python_version()}


def weights_digest(source):
    """SHA-256 of what results depend on: the architecture's facts, every tensor under transformers' name, the tokenizer. How the
    tensors are fused or laid out in files does not enter, nor does the context, which bounds inputs and changes no result."""
    config = source.config
    facts = {
        "architecture": "llama", "depth": config.num_hidden_layers, "hidden": config.hidden_size, "heads": config.num_attention_heads,
        "kv_heads": config.num_key_value_heads, "head_size": config.head_dim, "vocabulary": config.vocab_size,
        "eps": config.rms_norm_eps, "activation": "silu", "rope": dict(config.rope_parameters), "dtype": source.dtype,
        "eos_ids": source.eos_ids,
    }
    digest = hashlib.sha256()
    digest.update(json.dumps(facts, sort_keys=True).encode() + b"\n")
    add_tensors(digest, source.weights, source.dtype)
    digest.update(tokenizer.canonical(source.tokenizer_json))
    return digest.hexdigest()


def add_tensors(digest, weights, dtype):
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().view(torch.uint8).numpy().data)


@contextlib.contextmanager
def staging_folder(out, force, remedy="choose another or replace it with --force"):
    """A temporary sibling of `out`, gone at the end whatever happens."""
    if out.exists() or out.is_symlink():
        if not force:
            raise ExportError(f"{out}: expected a path that does not exist yet, found one: {remedy}")
        if not (out / "pool.json").is_file() or out.is_symlink():
            raise ExportError(f"{out}: --force replaces a pool package only, found no pool.json: remove it yourself")
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.absolute().parent))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder, out, force):
    """Renames: whoever looks at `out` sees the old pool or the new one, whole. Without force, a path that appeared meanwhile stays."""
    old = folder.with_name(folder.name + ".old")
    if force and out.exists():
        out.rename(old)
    try:
        if out.exists():
            raise ExportError(f"{out}: expected a path that does not exist yet, found one that appeared during the export")
        folder.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
