#!/usr/bin/env python3
"""Makes trials files for `polar bench trials` and bench/reference_hf.py: {"prompt", "answer", "program"} per line.

  --set random          10 random one-block programs x 60 prompts
  --set edits           all single edits x 60 prompts. Of 30 layers that are 343 programs: the identity, and each of the 114 blocks of 1
                        to 4 layers skipped, executed twice, or executed three times.
  --set demonstrations  40 of these x 60 prompts behind up to five worked examples that all prompts share
  --set words           10 random one-block programs x 60 word problems of --data (JSONL with question and answer), a boxed answer wanted

Other prompts are two-operand sums, "Question: What is 12 + 7?\\nAnswer: 12 + 7 =", half of them with two two-digit operands. Same seed, same file.

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
    possible = 2 * sum(layers - size + 1 for size in range(1, MAX_BLOCK + 1))
    if count > possible:
        raise SystemExit(f"--programs: expected at most {possible}, all one-block programs of {layers} layers, found {count}")
    programs = []
    while len(programs) < count:
        size = stream.randint(1, MAX_BLOCK)
        program = edit(layers, stream.randint(0, layers - size), size, stream.choice((0, 2)))
        if program not in programs:
            programs.append(program)
    return programs


def prompts(count, stream):
    if count > 1500:  # half of them are among 810 sums
        raise SystemExit(f"--prompts: expected at most 1500, found {count}")
    pairs = []
    while len(pairs) < count:
        low = 10 if len(pairs) % 2 else 1
        pair = stream.randint(10, 99), stream.randint(low, 99 if low == 10 else 9)
        if pair not in pairs:
            pairs.append(pair)
    return [(f"Question: What is {a} + {b}?\nAnswer: {a} + {b} =", str(a + b)) for a, b in pairs]


DEMONSTRATIONS = [
    ("A farmer has 12 baskets and puts 7 more beside them. How many baskets stand there?", "There were 12 baskets. With 7 more there are 12 + 7 = 19 baskets.", 19),
    ("A train with 48 passengers stops and 15 of them get off. How many passengers stay?", "There were 48 passengers. Without 15 there are 48 - 15 = 33 passengers.", 33),
    ("A shelf holds 26 books and a second shelf holds 31. How many books are on both?", "The first shelf holds 26 and the second 31. Together that is 26 + 31 = 57 books.", 57),
    ("A baker bakes 64 rolls and sells 29 of them by noon. How many rolls are left?", "There were 64 rolls. Without 29 there are 64 - 29 = 35 rolls.", 35),
    ("A class has 17 girls and 14 boys. How many children are in the class?", "There are 17 girls and 14 boys. Together that is 17 + 14 = 31 children.", 31),
]


def demonstrated(question, count):
    shown = "".join(f"Question: {asked}\nReasoning: {reason}\nAnswer: {answer}\n\n" for asked, reason, answer in DEMONSTRATIONS[:count])
    return shown + question


def word_problems(path, count, stream):
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    return [(f"Question: {row['question']}\nThink step by step and put the final answer within \\boxed{{}}.\nAnswer:", row["answer"])
            for row in stream.sample(rows, count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=["random", "edits", "demonstrations", "words"], required=True)
    parser.add_argument("--programs", type=int, help="how many (default: 10; 40 of --set demonstrations; all of --set edits)")
    parser.add_argument("--demonstrations", type=int, choices=range(len(DEMONSTRATIONS) + 1), default=len(DEMONSTRATIONS), metavar="0-5",
                        help="of --set demonstrations")
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--layers", type=int, default=30, help="of the model")
    parser.add_argument("--data", help="of --set words")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stream = random.Random(options.seed)
    if options.set == "words":
        if not options.data:
            parser.error("--set words: expected --data, a JSONL file with question and answer, found none")
        questions = word_problems(options.data, options.prompts, stream)
    else:
        questions = prompts(options.prompts, stream)
    if options.set == "demonstrations":
        questions = [(demonstrated(question, options.demonstrations), answer) for question, answer in questions]
    if options.set == "edits":
        programs = single_edits(options.layers)
        if options.programs:
            programs = stream.sample(programs, options.programs)
    elif options.set == "demonstrations":
        programs = stream.sample(single_edits(options.layers), options.programs or 40)
    else:
        programs = random_programs(options.layers, options.programs or 10, stream)
    for program in programs:
        for prompt, answer in questions:
            print(json.dumps({"prompt": prompt, "answer": answer, "program": program}))


if __name__ == "__main__":
    main()
