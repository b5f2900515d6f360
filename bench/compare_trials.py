#!/usr/bin/env python3
"""Compares polar with transformers on one trials file in one run: rollouts/s, and whether both give the same verdicts.

polar and the reference (bench/reference_hf.py) run in turn, --rounds times each; medians and spreads are printed. Every trial whose verdict
differs is listed with the gap between the two largest logits of transformers in float32 at the first token where the texts part: a small
gap is rounding, a large one a fault. Exit code 1 when the agreement is below --agree, or with --dtype float32 when a listed gap is 1e-3 or more.

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
GAP_LIMIT = 1e-3  # float32: rounding turns a verdict only where the two likeliest tokens lie closer than this


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


def judged(one, other):
    """Trials with a verdict from both: the reference has none where the answer is no number."""
    both = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a is not None and b is not None]
    if not both:
        sys.exit(f"compare_trials: expected trials with a verdict from both, found none among {len(one)}: the reference judges numbers only")
    return both


def agreement(one, other):
    """Share of equal verdicts among the judged trials."""
    both = judged(one, other)
    return sum(one[i] == other[i] for i in both) / len(both)


def faults(dtype, agreed, required, gaps):
    """What is against the rule, a message each. gaps: top-2 gap by disagreeing trial."""
    found = []
    if agreed < required:
        found.append(f"expected equal verdicts on {required:.2%} of trials, found {agreed:.2%}")
    large = [trial for trial, gap in gaps.items() if not gap < GAP_LIMIT]  # NaN is none to rely on
    if dtype == "float32" and large:
        found.append(f"expected float32 top-2 gaps below {GAP_LIMIT:g} at every disagreement, found {len(large)} of {len(gaps)} that rounding "
                     f"does not explain: trials {', '.join(map(str, large))}")
    return found


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
        """Prefills the prompt and the tokens both texts begin with; returns (token index, gap). Equal texts part nowhere: no gap explains
        that they are judged differently."""
        if one == other:
            return len(self.encode(one)), float("nan")
        prompt, first, second = self.encode(trial["prompt"], begins=True), self.encode(one), self.encode(other)
        same = next((i for i, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
        reference_hf.set_program(self.model, self.layers, self.types, trial["program"])
        with self.torch.inference_mode():
            tokens = self.torch.tensor([prompt + first[:same]])
            top = self.model(tokens, use_cache=False).logits[0, -1].topk(2).values
        return same, float(top[0] - top[1])


def list_disagreements(options, trials, polar, reference):
    """Prints them; returns the top-2 gap by trial."""
    differing = [i for i in judged(polar["correct"], reference["correct"]) if polar["correct"][i] != reference["correct"][i]]
    if not differing:
        return {}
    texts = polar["texts"]
    if not options.plain:  # the drafted run stops at the verdict, so whole texts come from a plain run of these trials only
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(trials[i]) + "\n" for i in differing)
            file.flush()
            command = polar_command(options)
            command[command.index("--trials") + 1] = file.name
            texts = dict(zip(differing, run_line(command + ["--plain"])["texts"]))
    reader, gaps = Gaps(options.hf_folder, options.threads), {}
    print("disagreements: trial, polar / reference verdict, token where they part, float32 top-2 gap there, texts")
    for i in differing:
        token, gap = reader.at_parting(trials[i], texts[i], reference["texts"][i])
        gaps[i] = gap
        print(f"  {i:6} {polar['correct'][i]} / {reference['correct'][i]}  token {token}  gap {gap:.1e}  {texts[i]!r} / {reference['texts'][i]!r}")
    return gaps


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
    if not trials:
        sys.exit(f"compare_trials: {options.trials}: expected a trial a line, found none: bench/make_trials.py writes some")

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
    count = len(judged(polar["correct"], reference["correct"]))
    print(f"verdicts agree on {agreed:.2%} of {count} trials, {len(trials) - count} without a verdict left out; required: {required:.2%}")
    if options.plain:
        print(f"texts agree on {sum(a == b for a, b in zip(polar['texts'], reference['texts'])) / len(trials):.2%} of trials")
    found = faults(options.dtype, agreed, required, list_disagreements(options, trials, polar, reference))
    for fault in found:
        print(f"compare_trials: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
