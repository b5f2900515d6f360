"""The problems with other operands: right answers, each once, and none that the ladder of configs/ladder.yaml can ask.

Run: .venv/bin/python tests/scripts/other_operands_test.py
"""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments" / "labels"))

import other_operands

# Of src/task/arithmetic.cpp: the largest operand of each kind, by sign and number of operands.
LADDER = {("*", 2): 12, ("-", 2): 35, ("+", 2): 99, ("+", 3): 9}


class OtherOperands(unittest.TestCase):
    def test_answers_are_right_and_no_operands_are_those_of_the_ladder(self):
        rows = list(other_operands.problems())
        for row in rows:
            sign = re.search(r" ([+*-]) ", row["question"]).group(1)
            operands = list(map(int, row["question"].split(f" {sign} ")))
            self.assertEqual(eval(row["question"]), int(row["answer"]))  # pylint: disable=eval-used
            self.assertGreaterEqual(int(row["answer"]), 0)
            self.assertGreater(max(operands), LADDER[sign, len(operands)])

    def test_every_problem_is_asked_once_in_any_order(self):
        problems = [(row["level"], *(sorted(re.findall(r"\d+", row["question"])) if "-" not in row["question"] else [row["question"]]))
                    for row in other_operands.problems()]
        self.assertEqual(len(problems), len(set(problems)))
        self.assertGreater(min(sum(problem[0] == level for problem in problems) for level in other_operands.LEVELS), 100)


if __name__ == "__main__":
    unittest.main()
