#!/usr/bin/env python3
"""What single edits do to the margin, and how alike neighbouring edits act: the grounds of src/search/additive_model.h.

    .venv/bin/python experiments/labels/effects.py runs/algorithms-depth

RUN is one of `polar bench algorithms` with the algorithm exhaustive, at most one edit. Prints, skips and repeats apart: the standard deviation of
effects within a question, in logits, the mean effect a layer skipped or run again, and the correlation of two edits' effects by their distance,
|difference of first layers| + |of last layers| + |of extra runs|.
"""
import argparse
import contextlib
import itertools
import re
import sqlite3
import sys

import numpy

DISTANCES = range(1, 7)
TRIALS = """SELECT searches.example, programs.text, trials.margin FROM searches JOIN trials ON trials.search = searches.key
  JOIN programs ON programs.key = trials.program WHERE searches.settings = ?"""


def layers_of(text):
    """Of the notation of a program: 0-13,15-29 or 0-4,(5-6)*3,7-29."""
    layers = []
    for block, first, last, times in re.findall(r"(\(?)(\d+)(?:-(\d+))?\)?(?:\*(\d+))?", text):
        layers += list(range(int(first), int(last or first) + 1)) * int(times or 1)
    return layers


def edit_of(layers, depth):
    """(kind, first layer, last layer, extra runs) of a program of one edit; None for the unchanged order."""
    if layers == list(range(depth)):
        return None
    at = next((i for i, layer in enumerate(layers) if layer != i), len(layers))
    if len(layers) < depth:
        return "skip", at, at + depth - len(layers) - 1, 0
    block = at - layers[at]
    return "repeat", layers[at], at - 1, (len(layers) - depth) // block


def effects_of(run):
    """By question: margin of each single edit less that of the unchanged order."""
    with contextlib.closing(sqlite3.connect(f"file:{run}/outcomes.sqlite?mode=ro", uri=True)) as store:
        keys = [key for key, text in store.execute("SELECT key, text FROM settings") if "; exhaustive rollouts=" in text]
        if len(keys) != 1:
            sys.exit(f"{run}: expected one exhaustive search in outcomes.sqlite, found {len(keys)}")
        rows = store.execute(TRIALS, keys).fetchall()
    depth = max(len(layers_of(text)) for _, text, _ in rows if re.fullmatch(r"0-\d+", text))  # the unchanged order, not a skip of the last layers
    questions = {}
    for question, text, margin in rows:
        questions.setdefault(question, {})[edit_of(layers_of(text), depth)] = margin
    return [{edit: margin - margins[None] for edit, margin in margins.items() if edit} for margins in questions.values()]


def report(kind, questions):
    edits = [edit for edit in questions[0] if edit[0] == kind]
    effects = numpy.array([[question[edit] for edit in edits] for question in questions])
    size = numpy.array([(last - first + 1) * max(1, extra) for _, first, last, extra in edits])
    centred = effects - effects.mean(axis=1, keepdims=True)
    print(f"{kind}: {len(edits)} edits, {len(questions)} questions; standard deviation within a question {numpy.sqrt((centred**2).mean()):.2f} logits; "
          f"mean effect a layer {(effects / size).mean():+.2f}")
    by_distance = {distance: [] for distance in DISTANCES}
    for (a, left), (b, right) in itertools.combinations(enumerate(edits), 2):
        distance = sum(abs(x - y) for x, y in zip(left[1:], right[1:]))
        if distance in by_distance:
            by_distance[distance].append((centred[:, a] * centred[:, b]).mean())
    print("  correlation at distance " + ", ".join(f"{distance}: {numpy.mean(products) / (centred**2).mean():.2f}"
                                                   for distance, products in by_distance.items() if products))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN")
    questions = effects_of(parser.parse_args().run)
    for kind in ("skip", "repeat"):
        report(kind, questions)


if __name__ == "__main__":
    main()
