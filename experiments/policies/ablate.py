#!/usr/bin/env python3
"""What each option of a policy changes: trains it anew on the labels of a finished run, once a variant, and compares what it does on test.

    experiments/policies/ablate.py predictor runs/published --out experiments/policies/ablation-predictor

Every variant is a run of its own, RUN-STUDY-VARIANT, with RUN's configuration and a copy of its labels and recorded menu outcomes: nothing is
searched again, and a variant that is done is not trained again. Writes OUT.md and OUT.csv after each; `sizes` also the curve, OUT.svg.
"""
import argparse
import csv
import dataclasses
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from polar_report import plots

# The released README's, all of them, so that a variant says all in which it differs (method.md 3). A step there takes 128 pairs of a question and a
# program, here 128 questions with all their programs: "as many steps" takes as many. There and here a question weighs by its programs.
PUBLISHED = ["predict.epochs=10", "predict.batch=128", "predict.learning_rate=5e-4", "predict.warmup_steps=10", "predict.width=256",
             "predict.heads=4", "predict.encoder_layers=2", "predict.feed_forward=1024", "predict.dropout=0.1", "predict.loss=average",
             "predict.positions=all", "predict.targets=all", "predict.max_runs=2", "predict.unemittable=drop", "predict.max_programs=50",
             "predict.identity_weight=0.3", "predict.length_weight=0", "predict.margin_weight=0", "predict.identity_penalty=0",
             "predict.class_balance=1", "predict.clip=0", "predict.select=loss", "predict.patience=0", "predict.threshold=0.5",
             "predict.rerank=0", "predict.beam=5", "predict.question_weights=targets", "predict.level_weights=size", "predict.standardise=false"]
ENCODER = ["predict.features=encoder", "predict.encoder=pools/minilm"]
# States of layers differ in scale by orders of magnitude, vectors of an embedding model do not.
STATES = ["predict.features=states", "predict.encoder=", "predict.standardise=true"]
STEPS = ["predict.batch=8"]
ONLY_THE_PREDICTOR = ["menu.size=1", "menu.candidates=1"]
# Nothing is timed, no policy is trained that no study asks, and test alone is asked.
ALWAYS = ["task.ood=[]", "task.ood_template=", "menu.cascade_tries=1", "menu.cascade_from=0", "menu.operating_points=[]", "eval.latency_examples=0", "eval.max_k=5",
          "predict.per_level=false", "predict.labelled_share=1"]


@dataclasses.dataclass(frozen=True)
class Study:
    policies: tuple  # compared, the base beside them
    common: list     # settings of every variant
    variants: dict   # by name, further settings
    only_if_dropped: tuple = ()  # variants of what becomes of programs that the predictor cannot emit


STUDIES = {
    "predictor": Study(("predictor",), PUBLISHED + ENCODER + STEPS + ONLY_THE_PREDICTOR, {
        "as published, as many steps": [],
        "batch of 128, of questions": ["predict.batch=128"],
        "threshold 0.3, epoch by membership": ["predict.threshold=0.3", "predict.select=membership"],
        "set loss": ["predict.loss=set"],
        "shortest program only": ["predict.targets=shortest"],
        "cover programs only": ["predict.targets=cover"],
        "identity no target": ["predict.identity_weight=0"],
        "identity penalty 1": ["predict.identity_penalty=1"],
        "class balance 10": ["predict.class_balance=10"],
        "margin weight 1": ["predict.margin_weight=1"],
        "length weight 0.05": ["predict.length_weight=0.05"],
        "crop what it cannot emit": ["predict.unemittable=crop"],
        "as many runs as the search's": ["predict.max_runs=0"],
        "inputs standardised": ["predict.standardise=true"],
        "questions weigh alike": ["predict.question_weights=alike"],
        "levels weigh alike": ["predict.level_weights=equal"],
        "calibrated threshold": ["predict.threshold=0"],
        "epoch by membership": ["predict.select=membership"],
        "rerank by length 1": ["predict.rerank=1"],
        "boundaries after the first": ["predict.positions=after_first"],
        "no dropout": ["predict.dropout=0"],
        "dropout 0.3": ["predict.dropout=0.3"],
        "width 128": ["predict.width=128"],
        "width 512": ["predict.width=512"],
        "one encoder layer": ["predict.encoder_layers=1"],
        "four encoder layers": ["predict.encoder_layers=4"],
        "embeddings as input": ["predict.features=embeddings", "predict.encoder=", "predict.standardise=true"],
        "own states after four layers": STATES,
        "set loss, identity no target": ["predict.loss=set", "predict.identity_weight=0"],
        "cover programs only, class balance 10": ["predict.targets=cover", "predict.class_balance=10"],
        "own states, set loss, identity no target": [*STATES, "predict.loss=set", "predict.identity_weight=0"],
    }, only_if_dropped=("crop what it cannot emit", "as many runs as the search's")),
    "protocol": Study(("predictor", "predictor_told_level"), PUBLISHED + ENCODER + STEPS + ONLY_THE_PREDICTOR + ["predict.per_level=true"],
                      {"as published, as many steps": []}),
    "sizes": Study(("predictor", "menu"), PUBLISHED + STATES + STEPS + ["predict.question_weights=alike"], {
        f"{share:g} of the questions": [f"predict.labelled_share={share:g}"] for share in (0.0625, 0.125, 0.25, 0.5, 1)}),
    "menu": Study(("menu",), ["predict.epochs=1"], {
        "as configured": [],
        "ridge": ["menu.scorer=ridge", "menu.ridge=[1, 10, 100, 1000]", "menu.bandwidth=[1]"],
        "Gaussian kernel": ["menu.scorer=kernel-ridge"],
        "Laplacian kernel": ["menu.scorer=laplace-ridge"],
        **{f"{scorer}, chosen on validation": [f"menu.scorer={scorer}", f"menu.ridge={strengths}", "menu.bandwidth=[1]",
                                               "menu.select=validation"]
           for scorer, strengths in (("ridge", [10, 100, 1000]), ("logistic", [10, 100, 1000]), ("network", [1, 10, 100]))},
        "last token's states": ["menu.pooling=last"],
        "mean of the states": ["menu.pooling=mean"],
        "target mean": ["menu.target=mean"],
        "target token": ["menu.target=token"],
        "scores as fitted": ["menu.calibration=none"],
        "Platt": ["menu.calibration=platt"],
        "temperature": ["menu.calibration=temperature"],
        "4 programs": ["menu.size=4"],
        "16 programs": ["menu.size=16"],
        "64 programs": ["menu.size=64", "menu.candidates=128"],
        "16 programs by log-probability": ["menu.size=16", "menu.cover=log-probability"],
    }),
}
COLUMNS = ["policy", "variant", "split", "examples", "accuracy", "low", "high", "p", "identity_share", "layers", "distinct", "pass_most",
           "flips_to_wrong", "flips_to_right", "dropped", "cropped", "cropped_valid"]


def settings_of(study, variant):
    asked = ["base", *dict.fromkeys(policy.removesuffix("_told_level") for policy in STUDIES[study].policies)]
    return [*ALWAYS, *STUDIES[study].common, *STUDIES[study].variants[variant], f"eval.policies=[{', '.join(asked)}]"]


def flat(settings, prefix=""):
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def whole_settings(config, study, variant):
    """Of the variant on a run of this configuration, by key."""
    given = (setting.split("=", 1) for setting in settings_of(study, variant))
    return {**dict(flat(config)), **{key: yaml.safe_load(value) for key, value in given}}


def copy_store(store, folder):
    """Unless this very store was copied there before; what polar adds to the copy since does not count."""
    note = folder / f"{store.name}.copied"
    content = hashlib.sha256(store.read_bytes()).hexdigest()
    if note.exists() and note.read_text(encoding="utf-8") == content and (folder / store.name).exists():
        return
    for old in folder.glob(f"{store.name}*"):
        old.unlink()
    unfinished = folder / f"{store.name}.copying"  # an interrupted copy is no store
    shutil.copy(store, unfinished)
    unfinished.replace(folder / store.name)
    note.write_text(content, encoding="utf-8")


def run_variant(polar, run, study, variant):
    name = f"{run.name}-{study}-" + re.sub(r"[^a-zA-Z0-9]+", "-", variant).strip("-")
    folder = run.parent / name
    folder.mkdir(exist_ok=True)
    for file in ("labels.sqlite", "menu.sqlite"):
        if (run / file).exists():
            copy_store(run / file, folder)
    command = [polar, "run", str(run / "config.yaml"), "--set", f"name={name}"]
    for setting in settings_of(study, variant):
        command += ["--set", setting]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return folder


def figures(folder, variant, policies):
    """A row a policy and split, over all levels; base's own too."""
    found = {}
    # Of the training programs, those the predictor cannot emit: a variant of what becomes of them is the same training where there are none.
    shares = json.loads((folder / "selection.json").read_text(encoding="utf-8"))["predictor"]["unemittable_shares"]["train"]
    with open(folder / "report" / "results.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["level"] == "all" and row["policy"] in ("base", *policies):
                found[row["policy"], row["split"], row["metric"], int(row["k"])] = row
    for policy, split, metric, k in list(found):
        if (metric, k) != ("pass@k", 1):
            continue

        def value(metric, k=1, column="value"):
            return float(found[policy, split, metric, k][column])

        compared = policy != "base"
        most = max(k for p, s, metric, k in found if (p, s, metric) == (policy, split, "pass@k"))
        yield {
            "policy": policy, "variant": variant if compared else "", "split": split, "examples": int(found[policy, split, "pass@k", 1]["n"]),
            "accuracy": value("pass@k"), "low": value("pass@k", 1, "ci_low"), "high": value("pass@k", 1, "ci_high"),
            "p": value("mcnemar_p") if compared else None, "identity_share": value("identity_share"), "layers": value("layers"),
            "distinct": int(value("distinct_programs@k")), "pass_most": value("pass@k", most),
            "flips_to_wrong": value("flips_to_wrong") if compared else None, "flips_to_right": value("flips_to_right") if compared else None,
            **(shares if policy == "predictor" else {}),
        }


def table(rows):
    lines = ["| policy | variant | right, % | p against base (McNemar, uncorrected) | base broken | base mended | the identity | layers | distinct programs "
             "| any of its first 5 (an oracle) | programs dropped, cropped, of these valid, % |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        compared = row["p"] is not None
        cells = [row["policy"], row["variant"], f"{100 * row['accuracy']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]",
                 f"{row['p']:.2g}" if compared else "", f"{100 * row['flips_to_wrong']:.1f}" if compared else "",
                 f"{100 * row['flips_to_right']:.1f}" if compared else "", f"{100 * row['identity_share']:.1f}", f"{row['layers']:.2f}",
                 str(row["distinct"]), f"{100 * row['pass_most']:.1f}" if compared else "",
                 ", ".join(f"{100 * row[share]:.1f}" for share in ("dropped", "cropped", "cropped_valid")) if "dropped" in row else ""]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def write(rows, out):
    with open(f"{out}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    lines = []
    for split in dict.fromkeys(row["split"] for row in rows):
        own = [row for row in rows if row["split"] == split]
        lines += [f"## {split}, {own[0]['examples']:,} questions", "", *table(own), ""]
    pathlib.Path(f"{out}.md").write_text("\n".join(lines), encoding="utf-8")


def draw_sizes(rows, out):
    base = next(row for row in rows if row["policy"] == "base")
    curves = {}
    for row in rows:
        if row["policy"] != "base" and row["split"] == base["split"]:
            curves.setdefault(row["policy"], []).append((float(row["variant"].split()[0]), row["accuracy"], row["low"], row["high"]))
    pathlib.Path(f"{out}.svg").write_text(plots.sizes(curves, base["accuracy"], "sizes"), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("run", type=pathlib.Path, help="finished run whose labels are learnt from")
    parser.add_argument("--polar", default="build/release/polar")
    parser.add_argument("--out", type=pathlib.Path, help="default: experiments/policies/ablation-STUDY")
    parser.add_argument("--only", nargs="*", help="variants; default: all")
    args = parser.parse_args()
    study = STUDIES[args.study]
    unknown = set(args.only or []) - set(study.variants)
    if unknown:
        parser.error(f"--only: expected some of {', '.join(study.variants)}; found {', '.join(sorted(unknown))}")
    if not (args.run / "config.yaml").exists() or not (args.run / "labels.sqlite").exists():
        parser.error(f"{args.run}: expected a finished run with config.yaml and labels.sqlite")
    out = args.out or pathlib.Path("experiments/policies") / f"ablation-{args.study}"
    config = yaml.safe_load((args.run / "config.yaml").read_text(encoding="utf-8"))
    rows, done = [], {}
    for variant in args.only or study.variants:
        settings = whole_settings(config, args.study, variant)
        same = next((name for name, others in done.items() if others == settings), None)
        if same is not None:
            print(f"{variant}: left out, on this run it is '{same}'", flush=True)
            continue
        of_first = next((row for row in rows if row.get("dropped") is not None), {"dropped": None})
        if variant in study.only_if_dropped and of_first["dropped"] == 0:
            print(f"{variant}: left out, the predictor can emit every valid program of these labels", flush=True)
            continue
        done[variant] = settings
        print(variant, flush=True)
        folder = run_variant(args.polar, args.run, args.study, variant)
        known = {(row["policy"], row["split"]) for row in rows}
        rows += [row for row in figures(folder, variant, study.policies)
                 if row["policy"] != "base" or ("base", row["split"]) not in known]
        write(rows, out)
        if args.study == "sizes":
            draw_sizes(rows, out)


if __name__ == "__main__":
    main()
