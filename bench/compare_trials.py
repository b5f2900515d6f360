#!/usr/bin/env python3
"""Compares polar with transformers on one trials file in one run: rollouts/s, and whether both give the same verdicts.

polar and the reference (bench/reference_hf.py) run in turn, --rounds times each; medians and spreads are printed. Every trial whose verdict
differs is listed with the gap between the two largest logits of transformers in float32 at the first token where the texts part: a small
gap is rounding, a large one a fault. Exit code 1 when the agreement is below --agree.

  scripts/export.py --smollm2 pools/smollm2-135m --hf-folder .cache/smollm2-hf
  bench/make_trials.py --set random > trials.jsonl
  bench/compare_trials.py trials.jsonl --max-new-tokens 6
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import reference_hf

ROOT = Path(__file__).resolve().parent.parent


def run_line(command):
    """The JSON line that a benchmark prints last."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"compare_trials: {' '.join(map(str, command))}\n{result.stderr.strip()}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def polar_command(options):
    command = [options.polar, "bench", "trials", "--pool", options.pool, "--trials", options.trials,
               "--max-new-tokens", options.max_new_tokens]
    return command + (["--dtype", options.dtype] if options.dtype else []) + (["--plain"] if options.plain else [])


def reference_command(options, mode, batch):
    return [sys.executable, ROOT / "bench" / "reference_hf.py", "--model", options.hf_folder, "--tokenizer", options.hf_folder / "tokenizer.json",
            "--trials", options.trials, "--mode", mode, "--batch", batch, "--max-new-tokens", options.max_new_tokens,
            "--dtype", options.dtype or "bfloat16", "--threads", options.threads]


def rate(runs):
    rates = [run["rollouts_per_s"] for run in runs]
    return f"{statistics.median(rates):9.1f} rollouts/s (median of {len(rates)}, {min(rates):.1f} to {max(rates):.1f})"


def agreement(one, other):
    known = [(a, b) for a, b in zip(one, other) if a is not None and b is not None]
    return sum(a == b for a, b in known) / len(known)


class Gaps:
    """The float32 gap between transformers' two likeliest next tokens where two continuations of a trial part."""

    def __init__(self, folder, threads):
        import torch
        from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

        torch.set_num_threads(threads)
        self.torch = torch
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.layers = list(self.model.model.layers)
        self.types = list(getattr(self.model.config, "layer_types", None) or [])

    def encode(self, text, begins=False):
        """begins: with the special tokens that a prompt begins with."""
        return self.tokenizer(text, add_special_tokens=begins)["input_ids"]

    def at_parting(self, trial, one, other):
        """Prefills the prompt and the tokens both texts begin with; returns (token index, gap)."""
        prompt, first, second = self.encode(trial["prompt"], begins=True), self.encode(one), self.encode(other)
        same = next((i for i, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
        reference_hf.set_program(self.model, self.layers, self.types, trial["program"])
        with self.torch.inference_mode():
            tokens = self.torch.tensor([prompt + first[:same]])
            top = self.model(tokens, use_cache=False).logits[0, -1].topk(2).values
        return same, float(top[0] - top[1])


def list_disagreements(options, trials, polar, reference):
    differing = [i for i, (a, b) in enumerate(zip(polar["correct"], reference["correct"])) if a is not None and b is not None and a != b]
    if not differing:
        return
    texts = polar["texts"]
    if not options.plain:  # the drafted run stops at the verdict, so whole texts come from a plain run of these trials only
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(trials[i]) + "\n" for i in differing)
            file.flush()
            command = polar_command(options)
            command[command.index("--trials") + 1] = file.name
            texts = dict(zip(differing, run_line(command + ["--plain"])["texts"]))
    gaps = Gaps(options.hf_folder, options.threads)
    print("disagreements: trial, polar / reference verdict, token where they part, float32 top-2 gap there, texts")
    for i in differing:
        token, gap = gaps.at_parting(trials[i], texts[i], reference["texts"][i])
        print(f"  {i:6} {polar['correct'][i]} / {reference['correct'][i]}  token {token}  gap {gap:.4f}  {texts[i]!r} / {reference['texts'][i]!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials")
    parser.add_argument("--max-new-tokens", type=int, default=6)
    parser.add_argument("--modes", nargs="+", choices=["batched", "single"], default=["batched"], help="of the reference; the first is compared with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], help="default: bfloat16 for the reference, polar's own choice for polar")
    parser.add_argument("--plain", action="store_true", help="polar without drafts, early stops and sharing; then texts are compared too")
    parser.add_argument("--agree", type=float,
                        help="least share of equal verdicts (default: float32 0.998, else the reference's own between batches 64 and 7, less 0.01)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--polar", type=Path, default=ROOT / "build" / "release" / "polar")
    parser.add_argument("--pool", type=Path, default=ROOT / "pools" / "smollm2-135m")
    parser.add_argument("--hf-folder", type=Path, default=ROOT / ".cache" / "smollm2-hf")
    options = parser.parse_args()
    trials = [json.loads(line) for line in open(options.trials)]

    variants = {"polar": polar_command(options)}
    variants |= {mode: reference_command(options, mode, 64) for mode in options.modes}
    runs = {name: [] for name in variants}
    for number in range(options.rounds):
        for name, command in variants.items():
            runs[name].append(run_line(command))
            print(f"round {number + 1} {name}: {runs[name][-1]['rollouts_per_s']:.1f} rollouts/s", file=sys.stderr, flush=True)

    print(f"{len(trials)} trials, {options.max_new_tokens} new tokens, reference on {options.threads} threads")
    for name in variants:
        print(f"  {name:8} {rate(runs[name])}")
    middle = {name: statistics.median(run["rollouts_per_s"] for run in done) for name, done in runs.items()}
    for mode in options.modes:
        print(f"  polar is {middle['polar'] / middle[mode]:.2f} x the {mode} reference")

    polar, reference = runs["polar"][0], runs[options.modes[0]][0]
    assert all(run["correct"] == polar["correct"] for run in runs["polar"]), "polar's verdicts differ between rounds"
    required = options.agree
    if required is None and options.dtype == "float32":
        required = 0.998
    elif required is None:
        batches = [runs["batched"][0] if "batched" in runs else run_line(reference_command(options, "batched", 64)),
                   run_line(reference_command(options, "batched", 7))]
        own = agreement(batches[0]["correct"], batches[1]["correct"])
        required = own - 0.01
        print(f"the reference agrees with itself (batches 64 and 7) on {own:.2%} of verdicts")
    agreed = agreement(polar["correct"], reference["correct"])
    print(f"verdicts agree on {agreed:.2%} of trials; required: {required:.2%}")
    if options.plain:
        print(f"texts agree on {sum(a == b for a, b in zip(polar['texts'], reference['texts'])) / len(trials):.2%} of trials")
    list_disagreements(options, trials, polar, reference)
    return 0 if agreed >= required else 1


if __name__ == "__main__":
    sys.exit(main())
