"""Searches compared question by question: the same figures as the table of `polar bench algorithms`, of the questions that count.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/compare_test.py
"""

import contextlib
import csv
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2] / "experiments" / "labels")]

import compare
import tiny_run
from tiny_run import POLAR


class Compare(tiny_run.TinyRun):
    SETTINGS = """
search: {algorithm: transfer, objective: first, minimise: off, transfer_pilot: 4, transfer_pilot_rollouts: 8, rollouts: 8, max_edits: 2,
  max_block: 2, min_depth: 0.5, max_depth: 1.5, first_layer: 1}
predict: {prefix_layers: 1}
"""
    RIGHT = "0-2,2-3"
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run([POLAR, "bench", "algorithms", "whole.yaml", "--algorithms", "transfer,guided,random", "--rollouts", "1,8", "--out", "bench"],
                       cwd=cls.folder, check=True, capture_output=True)

    def compared(self, *arguments):
        with mock.patch.object(sys, "argv", ["compare.py", *arguments]), contextlib.chdir(self.folder), \
                contextlib.redirect_stdout(io.StringIO()) as said:
            compare.main()
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.getvalue().splitlines() if line.startswith("| all")]

    def test_shares_and_differences_are_those_of_the_bench(self):
        with open(self.folder / "bench" / "algorithms.csv", newline="", encoding="utf-8") as file:
            bench = {(row["algorithm"], row["rollouts"]): row for row in csv.DictReader(file) if row["level"] == "all"}
        self.assertGreater(int(bench["transfer", "8"]["solved"]), 0)
        for other in ("guided", "random"):
            rows = self.compared("bench:transfer", f"bench:{other}", "--rollouts", "1", "8")
            for row, rollouts in zip(rows, ("1", "8"), strict=True):
                a, b = bench["transfer", rollouts], bench[other, rollouts]
                share = [f"{100 * int(of['solved']) / int(of['examples']):.1f}" for of in (a, b)]
                self.assertEqual(row[1:4], [a["examples"], *share])
                self.assertEqual(row[4].split()[0], f"{100 * float(b['solved_difference']):+.1f}")

    def polar(self, *arguments):
        return subprocess.run([POLAR, *arguments], cwd=self.folder, capture_output=True, text=True)

    def test_each_search_of_a_store_can_be_compared_and_exported(self):
        store = "bench/outcomes.sqlite"
        count = len(json.loads(self.polar("labels", "stats", store, "--json").stdout)["searches"])
        self.assertGreaterEqual(count, 3)
        self.assertIn(f"search {count - 1}\n", self.polar("labels", "stats", store).stdout)
        diff = ("labels", "diff", store, store, "--quiet")
        self.assertEqual(self.polar(*diff, "--search-a", str(count - 1)).returncode, 0, "the newest by default")
        self.assertEqual(self.polar(*diff, "--search-a", "1", "--search-b", "1").returncode, 0)
        self.assertEqual(self.polar(*diff, "--search-a", "0").returncode, 1, "the pilot has other questions")
        refused = self.polar(*diff, "--search-b", str(count))
        self.assertEqual(refused.returncode, 2)
        self.assertIn(f"--search-b: expected a search of {store}, from 0 to {count - 1}", refused.stderr)
        samples = {}
        for search in range(count):
            done = self.polar("labels", "export", store, "labels.json", "--config", "whole.yaml", "--search", str(search))
            self.assertEqual(done.returncode, 0, done.stderr)
            samples[search] = (self.folder / "labels.json").read_text(encoding="utf-8")
        self.assertEqual(len(set(samples.values())), count, "every search has other trials")
        self.assertEqual(self.polar("labels", "export", store, "labels.json", "--config", "whole.yaml", "--search", str(count)).returncode, 2)

    def test_refuses_budgets_that_a_search_does_not_have(self):
        with self.assertRaisesRegex(SystemExit, "bench:random: expected searches of 9 programs or until the first valid one, found 8"):
            self.compared("bench:transfer", "bench:random", "--rollouts", "8", "--charge", "1")

    def test_refuses_searches_that_were_interrupted(self):
        shutil.copytree(self.folder / "bench", self.folder / "cut")
        with contextlib.closing(sqlite3.connect(self.folder / "cut" / "outcomes.sqlite")) as store, store:
            store.execute("UPDATE searches SET state = 'open' WHERE key = (SELECT MAX(key) FROM searches)")
        with self.assertRaisesRegex(SystemExit, "expected finished searches, found 1 that were interrupted"):
            self.compared("cut:transfer", "cut:random", "--rollouts", "8")

    def test_charged_the_second_has_more_programs(self):
        whole, charged = self.compared("bench:transfer", "bench:random", "--rollouts", "8", "1"), \
            self.compared("bench:transfer", "bench:random", "--rollouts", "1", "--charge", "7")
        self.assertEqual(charged[0][2], whole[1][2], "the first has as many as it had")
        self.assertEqual(charged[0][3], whole[0][3], "the second has eight")
        self.assertNotEqual(whole[0][3], whole[1][3])

    def test_a_problem_is_the_same_whatever_the_order_of_its_operands(self):
        self.assertEqual(compare.problem("arith/sums/12+7"), compare.problem("arith/sums/7+12"))
        self.assertNotEqual(compare.problem("arith/differences/12-7"), compare.problem("arith/differences/7-12"))
        self.assertNotEqual(compare.problem("arith/sums/1+7"), compare.problem("arith/products/1*7"))

    def test_what_another_run_asked_is_left_out(self):
        with self.assertRaisesRegex(SystemExit, "found none but those left out"):
            self.compared("bench:transfer", "bench:random", "--rollouts", "8", "--without", "bench")

    def test_a_search_that_the_run_has_not_is_an_error(self):
        with self.assertRaisesRegex(SystemExit, "bench:paper: expected RUN:ALGORITHM with one search"):
            self.compared("bench:transfer", "bench:paper", "--rollouts", "8")


if __name__ == "__main__":
    unittest.main()
