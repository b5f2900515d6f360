#!/usr/bin/env python3
"""What each option of the paper's predictor changes: trains it anew on the labels of a finished run, once an option, and compares what it does on test.

    experiments/policies/ablate.py runs/quickstart --polar build/release/polar --out experiments/policies/ablation

Every variant is a run of its own, RUNS/NAME-ablation-VARIANT, with RUN's configuration and a copy of its labels: nothing is searched again, and a
variant that is done is not trained again. Writes OUT.md and OUT.csv.
"""
import argparse
import csv
import pathlib
import shutil
import subprocess
import sys

VARIANTS = {
    "as published": [],
    "set loss": ["predict.loss=set"],
    "shortest program only": ["predict.targets=shortest"],
    "cover programs only": ["predict.targets=cover"],
    "identity no target": ["predict.identity_weight=0"],
    "identity penalty 1": ["predict.identity_penalty=1"],
    "class balance 10": ["predict.class_balance=10"],
    "margin weight 1": ["predict.margin_weight=1"],
    "length weight 0.05": ["predict.length_weight=0.05"],
    "crop what it cannot emit": ["predict.unemittable=crop"],
    "calibrated threshold": ["predict.threshold=0"],
    "epoch by membership": ["predict.select=membership"],
    "rerank by length 1": ["predict.rerank=1"],
    "boundaries after the first": ["predict.positions=after_first"],
    "set loss, identity no target": ["predict.loss=set", "predict.identity_weight=0"],
    "set loss, cover, class balance 10": ["predict.loss=set", "predict.targets=cover", "predict.class_balance=10"],
}
# Only what the predictor does is asked; the menu is the identity alone, and nothing is timed.
ALWAYS = ["eval.policies=[base, predictor]", "menu.size=1", "menu.candidates=1", "menu.cascade_tries=1", "menu.operating_points=[]",
          "eval.latency_examples=0", "eval.max_k=5"]
COLUMNS = ["variant", "split", "examples", "accuracy", "low", "high", "p", "identity_share", "layers", "distinct", "pass_5", "flips_to_wrong",
           "flips_to_right"]


def run_variant(polar, run, variant, settings):
    name = f"{run.name}-ablation-{variant.replace(',', '').replace('.', '_').replace(' ', '-')}"
    folder = run.parent / name
    folder.mkdir(exist_ok=True)
    if not (folder / "labels.sqlite").exists():
        shutil.copy(run / "labels.sqlite", folder / "labels.sqlite")
    command = [polar, "run", str(run / "config.yaml"), "--set", f"name={name}"]
    for setting in ALWAYS + settings:
        command += ["--set", setting]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return folder / "report" / "results.csv"


def figures(results, variant):
    """A row a split, of the predictor over all levels; base's accuracy as a row of its own."""
    found = {}
    with open(results, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["level"] == "all" and row["policy"] in ("base", "predictor"):
                found[row["policy"], row["split"], row["metric"], int(row["k"])] = row
    splits = [split for policy, split, metric, k in found if (policy, metric, k) == ("predictor", "pass@k", 1)]

    def value(policy, split, metric, k=1, column="value"):
        return float(found[policy, split, metric, k][column])

    for split in splits:
        for policy in ("base", "predictor"):
            compared = policy == "predictor"
            most = max(k for p, s, metric, k in found if (p, s, metric) == (policy, split, "pass@k"))
            yield {
                "variant": variant if compared else "base", "split": split, "examples": int(found[policy, split, "pass@k", 1]["n"]),
                "accuracy": value(policy, split, "pass@k"), "low": value(policy, split, "pass@k", 1, "ci_low"),
                "high": value(policy, split, "pass@k", 1, "ci_high"), "p": value(policy, split, "mcnemar_p") if compared else None,
                "identity_share": value(policy, split, "identity_share"), "layers": value(policy, split, "layers"),
                "distinct": int(value(policy, split, "distinct_programs@k")), "pass_5": value(policy, split, "pass@k", most),
                "flips_to_wrong": value(policy, split, "flips_to_wrong") if compared else None,
                "flips_to_right": value(policy, split, "flips_to_right") if compared else None,
            }


def write(rows, out):
    with open(out.with_suffix(".csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    lines = []
    for split in dict.fromkeys(row["split"] for row in rows):
        lines += [f"## {split}", "", "| predictor | right, % | p against base | base broken | base mended | the identity | layers | distinct programs "
                  "| any of its first 5 (an oracle) |", "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
        for row in (row for row in rows if row["split"] == split):
            compared = row["p"] is not None
            cells = [row["variant"], f"{100 * row['accuracy']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]",
                     f"{row['p']:.2g}" if compared else "", f"{100 * row['flips_to_wrong']:.1f}" if compared else "",
                     f"{100 * row['flips_to_right']:.1f}" if compared else "", f"{100 * row['identity_share']:.1f}", f"{row['layers']:.2f}",
                     str(row["distinct"]), f"{100 * row['pass_5']:.1f}" if compared else ""]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    out.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, help="finished run whose labels are learnt from")
    parser.add_argument("--polar", default="build/release/polar")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("experiments/policies/ablation"))
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    args = parser.parse_args()
    rows = []
    for variant in args.only:
        print(variant, flush=True)
        made = list(figures(run_variant(args.polar, args.run, variant, VARIANTS[variant]), variant))
        rows += [row for row in made if row["variant"] != "base" or not any(row["split"] == old["split"] for old in rows)]
        write(rows, args.out)


if __name__ == "__main__":
    main()
