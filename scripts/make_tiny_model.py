#!/usr/bin/env python3
"""Makes a tiny llama model with random weights and a byte-level tokenizer trained on a few lines, and exports it as a pool package
through the same code as any other model. For tests; same options, same pool. Example:

  scripts/make_tiny_model.py pools/tiny --layers 4 --hidden 64 --seed 7
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

from polar_export import ExportError, package, source
from polar_export.prompts import PROMPTS

BEGIN, END = "<|im_start|>", "<|im_end|>"
CHAT = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def train_tokenizer(vocabulary, begin=False):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=[BEGIN, END], show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(PROMPTS, trainer)
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(single=[BEGIN, "$A"], special_tokens=[(BEGIN, 0)])
    return tokenizer


def make_folder(folder, layers=4, hidden=64, heads=4, kv_heads=2, inner=128, vocabulary=320, context=256, seed=0, dtype="float32",
                bias=False, tied=True, rope=None, begin=False):
    """Writes a Hugging Face folder. bias: attention and feed-forward biases. rope: transformers' rope_parameters. begin: every text
    begins with a special token, as Llama-3's do."""
    folder = Path(folder)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, max_position_embeddings=context, tie_word_embeddings=tied, attention_bias=bias, mlp_bias=bias,
        rope_parameters=rope or {"rope_type": "default", "rope_theta": 10000.0}, bos_token_id=0, eos_token_id=1,
    )
    model = LlamaForCausalLM(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in sorted(model.named_parameters()):
            noise = torch.randn(tensor.shape, generator=generator)
            # Norms near one, matrices that keep the size of what they multiply: logits differ clearly from token to token.
            tensor.copy_(1 + 0.1 * noise if "norm" in name else noise * (0.1 if tensor.dim() == 1 else tensor.shape[1] ** -0.5))
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    train_tokenizer(vocabulary, begin).save(str(folder / "tokenizer.json"))
    settings = {"chat_template": CHAT, "bos_token": BEGIN, "eos_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", help="pool package to write; must not exist yet")
    for name, default in (("layers", 4), ("hidden", 64), ("heads", 4), ("kv-heads", 2), ("inner", 128), ("vocabulary", 320),
                          ("context", 256), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--dtype", choices=list(source.DTYPES), default="float32", help="stored precision (default float32)")
    parser.add_argument("--force", action="store_true", help="replace an existing pool package")
    options = vars(parser.parse_args(arguments))
    out, force = options.pop("out"), options.pop("force")
    logging.disable_progress_bar()
    try:
        with tempfile.TemporaryDirectory() as folder:
            tiny = source.from_folder(make_folder(Path(folder) / "tiny", **options), licence="none (random weights)")
            package.export(tiny, out, force)
    except (ExportError, OSError) as error:
        print(f"make_tiny_model: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
