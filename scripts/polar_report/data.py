"""What a run's folder holds, read without the rest of polar. Whatever is missing or damaged raises Missing, which the
page shows in place of the section."""

import csv
import json
import sqlite3
from collections import namedtuple
from datetime import datetime
from urllib.parse import quote

COLUMNS = ["policy", "split", "level", "n", "metric", "k", "value", "ci_low", "ci_high"]
POLICY_ORDER = ["base", "static_best", "predictor", "predictor_told_level", "menu", "random", "oracle"]
ALL = "all"

Figure = namedtuple("Figure", COLUMNS)
Trial = namedtuple("Trial", "example level number program correct")  # number: from 1, in the order the search made them


class Missing(Exception):
    """A section cannot be made; the message says what is missing."""


def read_text(path):
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Missing(f"{path.name} could not be read ({error.strerror}).") from error


def read_json(path):
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise Missing(f"{path.name} is not valid JSON ({error}).") from error


def read_json_lines(path):
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise Missing(f"{path.name}, line {number}, is not valid JSON ({error}).") from error
    return rows


def read_figures(path):
    """The figures of results.csv, in order; ci_low and ci_high are None for p-values."""
    rows = list(csv.reader(read_text(path).splitlines()))
    if not rows or rows[0] != COLUMNS:
        raise Missing(f"{path.name} has other columns than {','.join(COLUMNS)}.")
    figures = []
    for number, row in enumerate(rows[1:], 2):
        try:
            policy, split, level, n, metric, k, value, low, high = row
            figures.append(Figure(policy, split, level, int(n), metric, int(k), float(value),
                                  float(low) if low else None, float(high) if high else None))
        except ValueError as error:
            raise Missing(f"{path.name}, line {number}, is not a figure ({error}).") from error
    return figures


class Results:
    """Figures by name. `oracles`: policies that see the reference answer."""

    def __init__(self, figures, oracles):
        self.figures = figures
        self.oracles = oracles
        self._by_key = {(f.policy, f.split, f.level, f.metric, f.k): f for f in figures}
        self.splits = list(dict.fromkeys(f.split for f in figures))

    def find(self, policy, split, metric, level=ALL, k=1):
        return self._by_key.get((policy, split, level, metric, k))

    def policies(self, split):
        names = dict.fromkeys(f.policy for f in self.figures if f.split == split)
        return sorted(names, key=lambda name: POLICY_ORDER.index(name) if name in POLICY_ORDER else len(POLICY_ORDER))

    def levels(self, split):
        names = dict.fromkeys(f.level for f in self.figures if f.split == split and f.level != ALL)
        return [*names, ALL]

    def deployable(self, split):
        """Policies that can be compared with the base."""
        return [p for p in self.policies(split) if p != "base" and p not in self.oracles]


def oracle_policies(rows):
    """From the evaluation's rows; by name when there are none. base_sampling_best has no rows: its temperature is chosen by
    the right answers."""
    return {row["policy"] for row in rows if row.get("oracle")} | {"oracle", "base_sampling_best"}


def read_trials(path):
    """Greedy trials of the newest search of a label store, in the order they were made."""
    if not path.is_file():
        raise Missing(f"{path.name} is not there: the search has not run in this folder.")
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            rows = connection.execute(
                "SELECT example, level, program, correct FROM labels "
                "WHERE settings = (SELECT max(key) FROM settings) AND temperature = 0 "
                "ORDER BY example, round, position").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Missing(f"{path.name} could not be read as a label store ({error}).") from error
    if not rows:
        raise Missing(f"{path.name} holds no trials yet.")
    trials, counts = [], {}
    for example, level, program, correct in rows:
        counts[example] = counts.get(example, 0) + 1
        trials.append(Trial(example, level, counts[example], program, bool(correct)))
    return trials


def solved_by_rollouts(trials):
    """{level or ALL: [share of examples with a right answer within r programs, for r = 1 …]}. A search that ended
    early keeps its state."""
    first_hit, level_of, most = {}, {}, 0
    for trial in trials:
        level_of[trial.example] = trial.level
        most = max(most, trial.number)
        if trial.correct:
            first_hit.setdefault(trial.example, trial.number)
    curves = {}
    for level in [*dict.fromkeys(level_of.values()), ALL]:
        members = [e for e, l in level_of.items() if level in (l, ALL)]
        hits = [0] * (most + 1)
        for example in members:
            if example in first_hit:
                hits[first_hit[example]] += 1
        solved, curve = 0, []
        for r in range(1, most + 1):
            solved += hits[r]
            curve.append(solved / len(members))
        curves[level] = curve
    return curves


def parse_program(text):
    """Layer indices of a program in notation: `0-3,(5-6)*2,8`."""
    def fail():
        raise Missing(f"the label store holds a program that cannot be read: {text!r}.")

    def number(at):
        end = at
        while end < len(text) and text[end].isdigit():
            end += 1
        if end == at:
            fail()
        return int(text[at:end]), end

    def items(at):
        layers = []
        while True:
            if text[at:at + 1] == "(":
                body, at = items(at + 1)
                if text[at:at + 2] != ")*":
                    fail()
                runs, at = number(at + 2)
                layers += body * runs
            else:
                first, at = number(at)
                last = first
                if text[at:at + 1] == "-":
                    last, at = number(at + 1)
                layers += range(first, last + 1)
            if text[at:at + 1] != ",":
                return layers, at
            at += 1

    layers, end = items(0)
    if end != len(text) or not layers:
        fail()
    return layers


def operation_rates(trials, depth):
    """Share of programs that skip and that repeat each layer: {name: [D shares]}, for the valid programs and for all that
    were tried. The identity is left out. Each example weighs the same, however many programs it has."""
    programs = {}
    for trial in trials:
        if trial.program not in programs:
            layers = parse_program(trial.program)
            counts = [0] * depth
            for layer in layers:
                if layer >= depth:
                    raise Missing(f"a program of the label store runs layer {layer} of a model of {depth} layers.")
                counts[layer] += 1
            programs[trial.program] = None if layers == list(range(depth)) else counts
    per_example = {"valid": {}, "tried": {}}
    for trial in trials:
        counts = programs[trial.program]
        if counts is None:
            continue
        per_example["tried"].setdefault(trial.example, []).append(counts)
        if trial.correct:
            per_example["valid"].setdefault(trial.example, []).append(counts)
    rates = {}
    for kind, examples in per_example.items():
        for operation, holds in (("skipped", lambda c: c == 0), ("repeated", lambda c: c > 1)):
            rates[f"{operation}, {kind}"] = [
                sum(sum(holds(c[layer]) for c in rows) / len(rows) for rows in examples.values()) / max(1, len(examples))
                for layer in range(depth)]
    if not per_example["valid"]:
        raise Missing("no changed program gave a right answer.")
    return rates, len(per_example["valid"])


def training_curve(run):
    """[{epoch, train_loss, valid_loss}], best epoch."""
    for path, key in ((run / "predictor" / "manifest.json", "body"), (run / "selection.json", "predictor")):
        if path.is_file():
            found = _find_curve(read_json(path).get(key))
            if found:
                return found
    raise Missing("neither predictor/manifest.json nor selection.json holds a training curve.")


def _find_curve(value):
    if not isinstance(value, dict):
        return None
    if value.get("curve"):
        return value["curve"], value.get("best_epoch")
    return next((found for child in value.values() if (found := _find_curve(child))), None)


def stage_seconds(run):
    """{stage: seconds} of the last time that each stage finished."""
    began, seconds = {}, {}
    for row in read_json_lines(run / "log.jsonl"):
        if row.get("event") not in ("stage_began", "stage_finished"):
            continue
        time = datetime.fromisoformat(row["time"].replace("Z", "+00:00"))
        if row["event"] == "stage_began":
            began[row["stage"]] = time
        elif row["stage"] in began:
            seconds[row["stage"]] = (time - began[row["stage"]]).total_seconds()
    return seconds
