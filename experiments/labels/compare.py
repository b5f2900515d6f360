#!/usr/bin/env python3
"""Two searches question by question, of one or two runs of `polar bench algorithms` that ended at the first valid program.

    .venv/bin/python experiments/labels/compare.py runs/algorithms-closed:transfer runs/algorithms-closed:paper

Prints a table a level of the questions that both asked: solved within a number of programs, in percent, and the second's difference from the
first in points, with a paired bootstrap interval.
"""
import argparse
import contextlib
import re
import sqlite3
import sys

import numpy

RESAMPLES = 10000
TRIALS = """SELECT examples.id, examples.level, trials.correct FROM searches JOIN examples ON examples.key = searches.example
  JOIN trials ON trials.search = searches.key WHERE searches.settings = ? ORDER BY searches.key, trials.round, trials.position"""


def opened(run):
    return contextlib.closing(sqlite3.connect(f"file:{run}/outcomes.sqlite?mode=ro", uri=True))


def first_valid(source, rollouts):
    """By question and level: the number of the first valid program, infinite where none is. Of a finished search of so many programs."""
    run, _, algorithm = source.rpartition(":")
    with opened(run) as store:
        # The pilot of transfer is a search by guided, of other questions.
        texts = store.execute("SELECT key, text FROM settings").fetchall()
        keys = [key for key, text in texts if f"; {algorithm} rollouts=" in text and not text.endswith("; pilot")]
        if len(keys) != 1:
            sys.exit(f"{source}: expected RUN:ALGORITHM with one search of that algorithm in RUN/outcomes.sqlite, found {len(keys)}")
        budget = int(re.search(rf"; {algorithm} rollouts=(\d+)", dict(texts)[keys[0]])[1])
        if budget < rollouts:
            sys.exit(f"{source}: expected searches of {rollouts} programs or until the first valid one, found {budget}: ask for fewer (--rollouts, --charge)")
        unfinished, = store.execute("SELECT COUNT(*) FROM searches WHERE settings = ? AND state <> 'done'", keys).fetchone()
        if unfinished:
            sys.exit(f"{source}: expected finished searches, found {unfinished} that were interrupted: run that bench again, it goes on")
        found, tried = {}, {}
        for question, level, correct in store.execute(TRIALS, keys):
            at = question, level
            tried[at] = tried.get(at, 0) + 1
            found.setdefault(at, numpy.inf)
            if correct:
                found[at] = min(found[at], tried[at])
    return found


def problem(question):
    """Of an arithmetic id, whatever the order of operands: arith/two-digit sums/12+34."""
    name, _, operands = question.rpartition("/")
    terms = re.split(r"([+*])", operands)
    return (name, terms[1], *sorted(terms[::2])) if len(terms) > 1 else (name, operands)


def row(level, first, second, rollouts, args):
    a, b = first <= rollouts, second <= rollouts + args.charge
    difference = 100 * (b.astype(float) - a)
    draws = numpy.random.default_rng(1).integers(len(a), size=(RESAMPLES, len(a)))
    low, high = numpy.quantile(difference[draws].mean(axis=1), [(1 - args.confidence) / 2, (1 + args.confidence) / 2])
    return f"| {level} | {len(a)} | {100 * a.mean():.1f} | {100 * b.mean():.1f} | {difference.mean():+.1f} [{low:.1f}, {high:.1f}] |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", metavar="RUN:ALGORITHM")
    parser.add_argument("second", metavar="RUN:ALGORITHM")
    parser.add_argument("--rollouts", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--charge", type=int, default=0, metavar="N", help="programs more for the second, as many as the first's pilot took a question")
    parser.add_argument("--without", metavar="RUN", help="leave out problems that this run asked, its pilot's among them")
    args = parser.parse_args()
    most = max(args.rollouts)
    first, second = first_valid(args.first, most), first_valid(args.second, most + args.charge)
    left_out = set()
    if args.without:
        with opened(args.without) as store:
            left_out = {problem(question) for question, in store.execute("SELECT id FROM examples")}
    both = sorted(at for at in first if at in second and problem(at[0]) not in left_out)
    if not both:
        sys.exit(f"{args.first} and {args.second}: expected questions that both asked, found none{' but those left out' if left_out else ''}")
    for rollouts in args.rollouts:
        print(f"\n| {rollouts} programs | questions | {args.first} | {args.second} | difference, {100 * args.confidence:g} % |\n|---|---:|---:|---:|---:|")
        for level in [*sorted({level for _, level in both}), "all"]:
            of = [at for at in both if level in ("all", at[1])]
            print(row(level, *(numpy.array([search[at] for at in of]) for search in (first, second)), rollouts, args))


if __name__ == "__main__":
    main()
