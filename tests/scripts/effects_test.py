"""Effects of single edits: programs read back as the edits that made them, and figures that one worked by hand gives.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/effects_test.py
"""

import contextlib
import io
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2] / "experiments" / "labels")]

import effects
import tiny_run
from tiny_run import POLAR


class Edits(unittest.TestCase):
    def test_every_edit_is_read_back_from_its_program(self):
        depth = 8
        for first in range(depth):
            for last in range(first, depth):
                block = list(range(first, last + 1))
                left, right = list(range(first)), list(range(last + 1, depth))
                self.assertEqual(effects.edit_of(left + right, depth), ("skip", first, last, 0))
                for extra in (1, 2, 3):
                    self.assertEqual(effects.edit_of(left + block * (1 + extra) + right, depth), ("repeat", first, last, extra))
        self.assertIsNone(effects.edit_of(list(range(depth)), depth))

    def test_the_notation_of_programs_is_expanded(self):
        self.assertEqual(effects.layers_of("0-2,5"), [0, 1, 2, 5])
        self.assertEqual(effects.layers_of("0,(1-2)*3,3"), [0, 1, 2, 1, 2, 1, 2, 3])
        self.assertEqual(effects.layers_of("0-2,(3)*2"), [0, 1, 2, 3, 3])

    def test_deviation_cost_and_correlation_are_those_worked_by_hand(self):
        # The first two act alike, and against the last two.
        question = {("skip", 0, 0, 0): 1.0, ("skip", 1, 1, 0): 1.0, ("skip", 3, 3, 0): -1.0, ("skip", 4, 4, 0): -1.0}
        with contextlib.redirect_stdout(io.StringIO()) as said:
            effects.report("skip", [question])
        self.assertEqual(said.getvalue(), "skip: 4 edits, 1 questions; standard deviation within a question 1.00 logits; mean effect a layer +0.00\n"
                                          "  correlation at distance 2: 1.00, 4: -1.00, 6: -1.00\n")


class Effects(tiny_run.TinyRun):
    SETTINGS = """
search: {algorithm: guided, objective: best, rollouts: 8, max_edits: 1, max_block: 2, min_depth: 0.5, max_depth: 1.5, first_layer: 0}
predict: {features: embeddings}
"""
    def test_an_exhaustive_search_is_reported_and_its_absence_is_an_error(self):
        with contextlib.chdir(self.folder):
            for algorithms, out in (("guided,exhaustive", "whole"), ("guided", "without")):
                subprocess.run([POLAR, "bench", "algorithms", "whole.yaml", "--algorithms", algorithms, "--rollouts", "8", "--out", out],
                               check=True, capture_output=True)
            with mock.patch.object(sys, "argv", ["effects.py", "whole"]), contextlib.redirect_stdout(io.StringIO()) as said:
                effects.main()
            self.assertRegex(said.getvalue(), r"skip: 7 edits, \d+ questions; .*\n  correlation at distance 1.*\nrepeat: 7 edits")
            with mock.patch.object(sys, "argv", ["effects.py", "without"]), self.assertRaisesRegex(SystemExit, "without: expected one exhaustive"):
                effects.main()


if __name__ == "__main__":
    unittest.main()
