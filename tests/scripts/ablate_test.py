"""Ablation studies: variants are runs of their own on the labels of a run, and every variant of every study is one that polar accepts.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/ablate_test.py
"""

import contextlib
import csv
import io
import os
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2] / "experiments" / "policies")]
os.environ["TQDM_DISABLE"] = "1"

import ablate
import tiny_run
from tiny_run import POLAR


def trials(run):
    with contextlib.closing(sqlite3.connect(run / "labels.sqlite")) as database:
        return database.execute("SELECT * FROM trials").fetchall()


class Ablate(tiny_run.TinyRun):
    RIGHT = "0-1,1-3"  # a repeat, which a predictor of single runs cannot emit
    SETTINGS = """
search: {algorithm: mcts, rollouts: 12, max_edits: 1, max_block: 2, min_depth: 0.5, max_depth: 1.5, first_layer: 1}
predict: {prefix_layers: 1, width: 8, heads: 2, feed_forward: 8, epochs: 1}
menu: {size: 4, candidates: 4}
eval: {policies: [base, predictor, menu], bootstrap: 100, latency_examples: 0}
"""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run([POLAR, "run", "whole.yaml"], cwd=cls.folder, check=True, capture_output=True)
        cls.whole = cls.folder / "runs" / "whole"

    def ablate(self, *arguments):
        with mock.patch.object(sys, "argv", ["ablate.py", *map(str, arguments)]), contextlib.chdir(self.folder), \
                contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            ablate.main()
        return said.getvalue()

    def test_a_study_trains_each_variant_once_on_the_labels_of_the_run(self):
        with contextlib.closing(sqlite3.connect(self.whole / "labels.sqlite")) as database, database:
            database.execute("UPDATE trials SET answer = 'no search writes this'")
        asked = ["menu", self.whole, "--polar", POLAR, "--out", self.folder / "table", "--only", "ridge", "network, chosen on validation"]
        self.ablate(*asked)
        variant = self.folder / "runs" / "whole-menu-ridge"
        self.assertEqual(trials(variant), trials(self.whole), "nothing was searched again")
        with open(self.folder / "table.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["policy"], row["variant"]) for row in rows],
                         [("base", ""), ("menu", "ridge"), ("menu", "network, chosen on validation")])
        self.assertEqual(rows[0]["identity_share"], "1.0")
        self.assertIn("network, chosen on validation", (self.folder / "table.md").read_text(encoding="utf-8"))
        trained = (variant / "menu" / "manifest.json").stat().st_mtime_ns
        self.ablate(*asked)
        self.assertEqual((variant / "menu" / "manifest.json").stat().st_mtime_ns, trained)

    def test_labels_that_changed_since_are_learnt_from_anew(self):
        asked = ["menu", self.whole, "--polar", POLAR, "--out", self.folder / "again", "--only", "4 programs"]
        self.ablate(*asked)
        with contextlib.closing(sqlite3.connect(self.whole / "labels.sqlite")) as database, database:
            database.execute("UPDATE trials SET answer = 'searched again'")
        self.ablate(*asked)
        self.assertEqual(trials(self.folder / "runs" / "whole-menu-4-programs"), trials(self.whole))

    def test_sizes_are_drawn_as_a_curve(self):
        self.ablate("sizes", self.whole, "--polar", POLAR, "--out", self.folder / "sizes", "--only", "0.5 of the questions", "1 of the questions")
        text = (self.folder / "sizes.svg").read_text(encoding="utf-8")
        for words in ("<svg", "predictor", "menu", "labelled questions learnt from"):
            self.assertIn(words, text)

    def test_what_becomes_of_programs_that_cannot_be_emitted_is_asked_where_there_are_some(self):
        dropping = "own states after four layers"
        with mock.patch.dict(ablate.STUDIES["predictor"].variants, {dropping: [*ablate.STATES, "predict.prefix_layers=1"]}):
            self.ablate("predictor", self.whole, "--polar", POLAR, "--out", self.folder / "crops", "--only", dropping, "crop what it cannot emit")
        with open(self.folder / "crops.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(float(rows[1]["dropped"]), 0)
        self.assertEqual([row["variant"] for row in rows], ["", dropping])

    def test_crops_are_tried_where_the_predictor_cannot_emit_every_program(self):
        narrow = [*ablate.STATES, "predict.prefix_layers=1", "predict.max_runs=1"]  # no repeats
        variants = {"narrow": narrow, "crop what it cannot emit": [*narrow, "predict.unemittable=crop"]}
        with mock.patch.dict(ablate.STUDIES["predictor"].variants, variants):
            self.ablate("predictor", self.whole, "--polar", POLAR, "--out", self.folder / "narrow", "--only", *variants)
        with open(self.folder / "narrow.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertGreater(float(rows[1]["dropped"]), 0)
        self.assertGreater(float(rows[2]["cropped"]), 0)

    def test_a_variant_that_is_the_same_run_as_another_is_left_out(self):
        self.ablate("menu", self.whole, "--polar", POLAR, "--out", self.folder / "same", "--only", "target mean", "scores as fitted")
        with open(self.folder / "same.csv", newline="", encoding="utf-8") as file:
            self.assertEqual([row["variant"] for row in csv.DictReader(file)], ["", "target mean"], "the defaults are both")

    def test_every_variant_is_a_configuration_that_polar_accepts(self):
        for name, study in ablate.STUDIES.items():
            for variant in study.variants:
                with self.subTest(study=name, variant=variant):
                    options = [part for setting in ablate.settings_of(name, variant) for part in ("--set", setting)]
                    refused = subprocess.run([POLAR, "train", "whole.yaml", "--set", "pool=nowhere", *options], cwd=self.folder,
                                             check=False, capture_output=True, text=True)
                    self.assertIn("nowhere", refused.stderr, "the configuration is read whole before the pool is missed")

    def test_an_unknown_variant_and_a_run_without_labels_are_refused(self):
        for arguments in (["menu", self.whole, "--only", "cubic"], ["menu", self.folder]):
            with self.assertRaises(SystemExit) as refused:
                self.ablate(*arguments)
            self.assertEqual(refused.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
