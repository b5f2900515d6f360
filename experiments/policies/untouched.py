#!/usr/bin/env python3
"""What a run's policies answer on those of its test questions that no split of earlier seeds held.

    experiments/policies/untouched.py runs/policies-4 --earlier 1 2 3 --out experiments/policies/seed-4-untouched

Seeds split the same problems anew, so that a later seed repeats an earlier one wherever a level's problems run out. A problem counts as held when
`polar inspect --questions` lists it, in any order of commuting operands, under the run's configuration with an earlier seed. Writes OUT.csv and OUT.md.
"""
import argparse
import csv
import json
import math
import pathlib
import subprocess
import sys


REFERENCES = ("base", "static_best", "label_prior")


def questions(polar, run, seed=None):
    command = [polar, "inspect", str(run / "config.yaml"), "--questions", *(["--set", f"seed={seed}"] if seed is not None else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def verdicts(run, ids):
    """By level and policy: by question, whether the first candidate is right."""
    found = {}
    with open(run / "evaluation.jsonl", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["split"] == "test" and row["example"] in ids and not row["oracle"] and row["ranked"]:
                for level in (row["level"], "all"):
                    found.setdefault(level, {}).setdefault(row["policy"], {})[row["example"]] = row["ranked"][0]["correct"]
    if len(found) == 2:  # one level, and all of it
        del found["all"]
    return found


def wilson(right, n, z=1.959964):
    share, weight = right / n, 1 + z * z / n
    middle, half = (share + z * z / (2 * n)) / weight, z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / weight
    return middle - half, middle + half


def mcnemar(one, other):
    """Exact, two-sided, of two policies' verdicts on the same questions."""
    gained = sum(one[key] and not other[key] for key in one)
    lost = sum(other[key] and not one[key] for key in one)
    n, tail = gained + lost, min(gained, lost)
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(tail + 1)) / 2**n)


def holm(p_values):
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, worst = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = worst
    return corrected


def corrected_p(policies, reference):
    """By policy, against the reference, with Holm's correction over all that are compared with it: as in results.csv."""
    if reference not in policies:
        sys.exit(f"expected the policy {reference} among those evaluated, found {', '.join(policies)}")
    names = [name for name in policies if name != reference]
    return dict(zip(names, holm([mcnemar(policies[name], policies[reference]) for name in names])))


def figures(found):
    """A row a level and policy; p-values over all policies of a level, Holm's correction among them."""
    for level, policies in found.items():
        against = {reference: corrected_p(policies, reference) for reference in REFERENCES}
        for name, answers in policies.items():
            low, high = wilson(sum(answers.values()), len(answers))
            yield {"level": level, "policy": name, "n": len(answers), "right": sum(answers.values()) / len(answers), "low": low, "high": high,
                   **{f"p_{reference}_holm": against[reference].get(name) for reference in REFERENCES}}


def table(rows):
    lines = []
    for level in dict.fromkeys(row["level"] for row in rows):
        own = [row for row in rows if row["level"] == level]
        lines += [f"## {level}, {own[0]['n']:,} questions", "",
                  "| policy | right, % | " + " | ".join(f"p against `{reference}` (McNemar, Holm)" for reference in REFERENCES) + " |",
                  "|---|---:|" + "---:|" * len(REFERENCES)]
        for row in own:
            p_values = ["" if row[key] is None else f"{row[key]:.2g}" for key in (f"p_{reference}_holm" for reference in REFERENCES)]
            lines.append(f"| {row['policy']} | {100 * row['right']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}] | " + " | ".join(p_values) + " |")
        lines.append("")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, help="evaluated run")
    parser.add_argument("--earlier", type=int, nargs="+", required=True, help="seeds whose questions are left out")
    parser.add_argument("--polar", default="build/release/polar")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    for name in ("config.yaml", "evaluation.jsonl"):
        if not (args.run / name).exists():
            parser.error(f"{args.run}: expected an evaluated run with {name}, found none")
    held = {each["problem"] for seed in args.earlier for each in questions(args.polar, args.run, seed)}
    ids = {each["id"] for each in questions(args.polar, args.run) if each["split"] == "test" and each["problem"] not in held}
    rows = list(figures(verdicts(args.run, ids)))
    if not rows:
        sys.exit(f"{args.run}: every test question is one of an earlier seed's")
    with open(f"{args.out}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    earlier = ", ".join(map(str, args.earlier))
    head = [f"Test questions of `{args.run.name}` that no split of seeds {earlier} held; Wilson intervals of 95 %.", ""]
    pathlib.Path(f"{args.out}.md").write_text("\n".join(head + table(rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
