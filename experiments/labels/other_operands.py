#!/usr/bin/env python3
"""Arithmetic problems with other operands than those of configs/ladder.yaml, on which no setting of any search was tuned.

    .venv/bin/python experiments/labels/other_operands.py runs/other-operands.jsonl

Writes every problem of five levels, a JSON object a line; orders of the same operands are one problem, written once. `polar` draws from them.
"""
import argparse
import itertools
import json
import operator
import pathlib

DIFFERENCES = [(a, b) for a in range(36, 61) for b in range(a + 1)]
PRODUCTS = list(itertools.product(range(13, 26), range(2, 13)))
THREE_DIGIT_AND_TWO_DIGIT = list(itertools.product(range(100, 150), range(10, 60)))
THREE_DIGIT_AND_ONE_DIGIT = list(itertools.product(range(100, 200), range(1, 10)))
THREE_TERMS = [terms for terms in itertools.combinations_with_replacement(range(16), 3) if max(terms) > 9]

LEVELS = {
    "products": ("*", operator.mul, PRODUCTS),
    "differences": ("-", operator.sub, DIFFERENCES),
    "three-digit plus two-digit sums": ("+", operator.add, THREE_DIGIT_AND_TWO_DIGIT),
    "three-digit plus one-digit sums": ("+", operator.add, THREE_DIGIT_AND_ONE_DIGIT),
    "three-term sums": ("+", operator.add, THREE_TERMS),
}


def problems():
    for level, (sign, operation, all_operands) in LEVELS.items():
        for number, operands in enumerate(all_operands):
            if sign != "-":  # each problem in one order, which half of them have reversed
                operands = operands[::-1] if number % 2 else operands
            answer = operands[0]
            for operand in operands[1:]:
                answer = operation(answer, operand)
            yield {"id": f"other/{level}/{sign.join(map(str, operands))}", "level": level,
                   "question": f" {sign} ".join(map(str, operands)), "answer": str(answer)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(row) + "\n" for row in problems()), encoding="utf-8")


if __name__ == "__main__":
    main()
