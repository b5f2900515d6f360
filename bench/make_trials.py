#!/usr/bin/env python3
"""Makes trials files for `polar bench trials` and bench/reference_hf.py: {"prompt", "answer", "program"} per line.

  --set random  10 random one-block programs x 60 prompts
  --set edits   all single edits x 60 prompts. Of 30 layers that are 343 programs: the identity, and each of the 114 blocks of 1 to 4
                layers skipped, executed twice, or executed three times.

Prompts are two-operand sums, "Question: What is 12 + 7?\\nAnswer: 12 + 7 =", half of them with two two-digit operands. Same seed, same file.

  bench/make_trials.py --set random > trials.jsonl
"""
import argparse
import json
import random

MAX_BLOCK = 4


def edit(layers, start, size, runs):
    """The identity with the block [start, start + size) executed `runs` times."""
    block = list(range(start, start + size))
    return list(range(start)) + block * runs + list(range(start + size, layers))


def single_edits(layers):
    programs = [list(range(layers))]
    for size in range(1, MAX_BLOCK + 1):
        for start in range(layers - size + 1):
            programs += [edit(layers, start, size, runs) for runs in (0, 2, 3)]
    assert len({tuple(program) for program in programs}) == len(programs)
    return programs


def random_programs(layers, count, stream):
    """Distinct programs that each skip one random block or execute it twice."""
    programs = []
    while len(programs) < count:
        size = stream.randint(1, MAX_BLOCK)
        program = edit(layers, stream.randint(0, layers - size), size, stream.choice((0, 2)))
        if program not in programs:
            programs.append(program)
    return programs


def prompts(count, stream):
    pairs = []
    while len(pairs) < count:
        low = 10 if len(pairs) % 2 else 1
        pair = stream.randint(10, 99), stream.randint(low, 99 if low == 10 else 9)
        if pair not in pairs:
            pairs.append(pair)
    return [(f"Question: What is {a} + {b}?\nAnswer: {a} + {b} =", str(a + b)) for a, b in pairs]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=["random", "edits"], required=True)
    parser.add_argument("--programs", type=int, default=10, help="of --set random")
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--layers", type=int, default=30, help="of the model")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stream = random.Random(options.seed)
    questions = prompts(options.prompts, stream)
    programs = single_edits(options.layers) if options.set == "edits" else random_programs(options.layers, options.programs, stream)
    for program in programs:
        for prompt, answer in questions:
            print(json.dumps({"prompt": prompt, "answer": answer, "program": program}))


if __name__ == "__main__":
    main()
