"""The figures of questions that earlier seeds did not hold, against verdicts computed by hand, and what `polar inspect` says of a configuration.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/untouched_test.py
"""

import contextlib
import csv
import io
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2] / "experiments" / "policies")]

import untouched
from tiny_run import POLAR, needs_polar

CONFIG = """
name: sums
seed: 3
pool: nowhere
task: {kind: arithmetic, template: "{question}", grader: "numeric:first", train_per_level: 40, valid_per_level: 10, test_per_level: 30}
"""


class Statistics(unittest.TestCase):
    def test_mcnemar_is_the_binomial_tail_of_the_pairs_that_differ(self):
        one = {i: i < 6 for i in range(10)}
        other = {i: i == 9 for i in range(10)}  # six gained, one lost
        self.assertAlmostEqual(untouched.mcnemar(one, other), 2 * (1 + 7) / 2**7)
        self.assertEqual(untouched.mcnemar(one, one), 1)

    def test_holm_multiplies_the_smallest_most_and_keeps_the_order(self):
        for found, expected in zip(untouched.holm([0.02, 0.001, 0.9]), (0.04, 0.003, 0.9)):
            self.assertAlmostEqual(found, expected)

    def test_wilson_is_that_of_the_text_books(self):
        low, high = untouched.wilson(8, 10)
        self.assertAlmostEqual(low, 0.4902, places=4)
        self.assertAlmostEqual(high, 0.9433, places=4)


@needs_polar
class Untouched(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run_folder = Path(folder.name) / "sums"
        self.run_folder.mkdir()
        (self.run_folder / "config.yaml").write_text(CONFIG)

    def inspect(self, *arguments):
        return subprocess.run([POLAR, "inspect", *map(str, arguments)], check=False, capture_output=True, text=True)

    def test_questions_that_an_earlier_seed_held_are_left_out(self):
        asked = untouched.questions(POLAR, self.run_folder)
        held = {each["problem"] for each in untouched.questions(POLAR, self.run_folder, 1)}
        test = [each for each in asked if each["split"] == "test"]
        fresh = {each["id"] for each in test if each["problem"] not in held}
        self.assertTrue(0 < len(fresh) < len(test), "some are held, some are not")
        rows = [{"example": each["id"], "split": "test", "level": each["level"], "policy": policy, "oracle": False,
                 "ranked": [{"correct": (each["id"] in fresh) == (policy == "menu")}]}
                for each in test for policy in ("base", "static_best", "label_prior", "menu")]
        (self.run_folder / "evaluation.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        out = self.run_folder / "fresh"
        with mock.patch.object(sys, "argv", ["untouched.py", str(self.run_folder), "--earlier", "1", "--polar", str(POLAR), "--out", str(out)]):
            untouched.main()
        with open(f"{out}.csv", newline="", encoding="utf-8") as file:
            of_all = {row["policy"]: row for row in csv.DictReader(file) if row["level"] == "all"}
        self.assertEqual({policy: (int(row["n"]), float(row["right"])) for policy, row in of_all.items()},
                         {"base": (len(fresh), 0), "static_best": (len(fresh), 0), "label_prior": (len(fresh), 0), "menu": (len(fresh), 1)})
        fewest = 2 * 0.5 ** len(fresh)  # McNemar's p of a policy that is right wherever the other is wrong, of three that are compared
        for reference in untouched.REFERENCES:
            self.assertAlmostEqual(float(of_all["menu"][f"p_{reference}_holm"]), min(1, 3 * fewest))
            self.assertEqual(of_all[reference][f"p_{reference}_holm"], "")
        self.assertIn("| menu | 100.0", Path(f"{out}.md").read_text())

    def test_a_run_that_was_not_evaluated_is_refused(self):
        with mock.patch.object(sys, "argv", ["untouched.py", str(self.run_folder), "--earlier", "1", "--out", "x"]), \
                contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as refused:
            untouched.main()
        self.assertEqual(refused.exception.code, 2)
        self.assertIn("evaluation.jsonl", said.getvalue())

    def test_inspect_tells_how_many_questions_a_configuration_asks_and_which(self):
        config = self.run_folder / "config.yaml"
        self.assertIn("two-digit sums", self.inspect(config).stdout)
        lines = [json.loads(line) for line in self.inspect(config, "--questions").stdout.splitlines()]
        self.assertEqual({line["split"] for line in lines}, {"train", "valid", "test"})
        self.assertEqual(len({line["id"] for line in lines}), len(lines))
        other = self.inspect(config, "--questions", "--set", "seed=4").stdout.splitlines()
        self.assertNotEqual({line["id"] for line in lines if line["split"] == "test"},
                            {each["id"] for each in map(json.loads, other) if each["split"] == "test"})

    def test_inspect_refuses_questions_of_a_folder_and_a_folder_that_is_nothing(self):
        of_folder = self.inspect(self.run_folder, "--questions")
        self.assertEqual(of_folder.returncode, 2)
        self.assertIn("expected a configuration", of_folder.stderr)
        nothing = self.inspect(self.run_folder.parent)
        self.assertEqual(nothing.returncode, 1)
        self.assertIn("found none", nothing.stderr)


if __name__ == "__main__":
    unittest.main()
