"""The rule of bench/compare_trials.py, on made-up verdicts. Run: .venv/bin/python tests/scripts/compare_trials_test.py"""

import contextlib
import io
import json
import math
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("bench", "scripts")]

import compare_trials
import make_tiny_model


class CompareTrialsTest(unittest.TestCase):
    def run_on(self, polar, reference, gap, *options):
        """-> (exit code, messages). Both programs are made up: their verdicts, and the gap where two texts part."""
        def run_line(command):
            verdicts = reference if "--mode" in command else polar
            return {"correct": verdicts, "texts": [str(verdict) for verdict in verdicts], "rollouts_per_s": 1.0}

        gaps = mock.Mock(return_value=mock.Mock(at_parting=lambda trial, one, other: (0, gap)))
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file, contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()) as errors, mock.patch.object(compare_trials, "run_line", run_line), \
                mock.patch.object(compare_trials, "Gaps", gaps), \
                mock.patch.object(sys, "argv", ["compare_trials", file.name, "--rounds", "1", "--plain", *options]):
            file.writelines(json.dumps({"prompt": "1 + 1 =", "answer": "2", "program": [0]}) + "\n" for _ in polar)
            file.flush()
            code = compare_trials.main()
        return code, [line for line in errors.getvalue().splitlines() if line.startswith("compare_trials: ")]

    def test_float32_fails_for_one_gap_that_rounding_does_not_explain(self):
        polar, reference = [1] * 500, [1] * 499 + [0]
        self.assertEqual(self.run_on(polar, reference, 9.9e-4, "--dtype", "float32"), (0, []))
        for gap in (1e-3, float("nan")):
            code, messages = self.run_on(polar, reference, gap, "--dtype", "float32")
            self.assertEqual(code, 1)
            self.assertEqual(len(messages), 1)
            self.assertIn("below 0.001 at every disagreement, found 1 of 1 that rounding does not explain: trials 499", messages[0])

    def test_float32_fails_for_too_many_small_gaps(self):
        code, messages = self.run_on([1] * 400, [1] * 399 + [0], 0.0, "--dtype", "float32")
        self.assertEqual((code, messages), (1, ["compare_trials: expected equal verdicts on 99.80% of trials, found 99.75%"]))

    def test_bfloat16_is_held_to_a_share_only(self):
        self.assertEqual(self.run_on([1, 1], [1, 0], 5.0, "--dtype", "bfloat16", "--agree", "0.5"), (0, []))
        self.assertEqual(self.run_on([1, 1], [1, 0], 5.0, "--dtype", "bfloat16", "--agree", "0.6")[0], 1)

    def test_trials_without_a_verdict_count_neither_way_and_cannot_be_all(self):
        self.assertEqual(compare_trials.agreement([1, 1, 0], [1, None, 1]), 0.5)
        with self.assertRaisesRegex(SystemExit, "expected trials with a verdict from both, found none among 2"):
            self.run_on([1, 0], [None, None], 0.0, "--dtype", "float32")
        with self.assertRaisesRegex(SystemExit, "expected a trial a line, found none"):
            self.run_on([], [], 0.0)

    def test_the_gap_is_that_of_the_tokens_both_texts_begin_with(self):
        import torch

        with tempfile.TemporaryDirectory() as folder:
            make_tiny_model.make_folder(Path(folder), layers=3)
            gaps = compare_trials.Gaps(Path(folder), threads=1)
            trial = {"prompt": "1 + 1 =", "program": [0, 2]}
            token, gap = gaps.at_parting(trial, "19", "17")
            self.assertEqual(token, 1)
            gaps.model.model.layers = torch.nn.ModuleList([gaps.layers[0], gaps.layers[2]])
            with torch.inference_mode():
                top = gaps.model(torch.tensor([gaps.encode("1 + 1 =1")]), use_cache=False).logits[0, -1].topk(2).values
            self.assertAlmostEqual(gap, float(top[0] - top[1]), places=6)
            self.assertTrue(math.isnan(gaps.at_parting(trial, "19", "19")[1]), "no gap explains equal texts judged differently")


if __name__ == "__main__":
    unittest.main()
