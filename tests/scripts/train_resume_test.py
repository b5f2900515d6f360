"""A training that is killed at random moments ends with the weights of one left alone: the routers', the predictor's and those of each level.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/train_resume_test.py
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import tiny_run
from tiny_run import POLAR

KILLED = ["drllm", "drllm", "predictor", "predictor", "predictor", "predictor-level-1", "predictor-level-1", "predictor-level-2"]
LIMIT_S = 120


class TrainResume(tiny_run.TinyRun):
    SETTINGS = """
search: {algorithm: mcts, rollouts: 12, max_edits: 1, max_block: 2, min_depth: 0.5, max_depth: 1.5, first_layer: 1}
predict: {prefix_layers: 1, width: 8, heads: 2, feed_forward: 8, epochs: 60, per_level: true}
menu: {size: 4, candidates: 4}
router: {epochs: 300, windows: 2, hidden: 8, warmup_steps: 0}
eval: {policies: [base, predictor, menu, drllm]}
"""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = cls.folder / "rows.jsonl"
        labelled = [json.loads(line) | {"level": f"level {number % 2}"} for number, line in enumerate(rows.read_text().splitlines())]
        rows.write_text("".join(json.dumps(row) + "\n" for row in labelled), encoding="utf-8")
        cls.polar("search", "whole")
        shutil.copytree(cls.folder / "runs" / "whole", cls.folder / "runs" / "killed")

    @classmethod
    def command(cls, verb, name):
        return [POLAR, verb, "whole.yaml", "--set", f"name={name}"]

    @classmethod
    def polar(cls, verb, name):
        return subprocess.run(cls.command(verb, name), cwd=cls.folder, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def weights(self, name):
        """The file names say the weights' digests."""
        run = self.folder / "runs" / name
        return sorted(str(path.relative_to(run)) for path in run.glob("*/weights-*"))

    def written(self, predictor):
        """When its last checkpoint was, 0 without any."""
        path = self.folder / "runs" / "killed" / f"{predictor}.checkpoint"
        return path.stat().st_mtime_ns if path.exists() else 0

    def killed(self, predictor, after_s):
        """Kills a training so long after it wrote a checkpoint of that predictor; whether it did and was still training."""
        before, seen = self.written(predictor), False
        with open(self.folder / "said", "a", encoding="utf-8") as said:
            training = subprocess.Popen(self.command("train", "killed"), cwd=self.folder, stdout=said, stderr=said)
        limit = time.monotonic() + LIMIT_S
        while training.poll() is None and time.monotonic() < limit and not seen:
            seen = self.written(predictor) != before
            time.sleep(after_s if seen else 0.002)
        training.kill()
        return training.wait() == -signal.SIGKILL and seen

    def test_a_training_killed_at_random_moments_ends_with_the_same_weights(self):
        self.polar("train", "whole")
        expected = self.weights("whole")
        self.assertEqual(len(expected), 5, "the router, the predictor, two of levels and the menu")
        draw = random.Random(1)
        for predictor in KILLED:
            self.assertTrue(self.killed(predictor, draw.uniform(0, 0.05)), f"no kill while {predictor} was trained")
        self.assertIn("training goes on after epoch", self.polar("train", "killed"))
        self.assertIn("of 3 layers", (self.folder / "said").read_text(encoding="utf-8"))
        self.assertEqual(self.weights("killed"), expected)
        self.assertEqual(list((self.folder / "runs" / "killed").glob("*.checkpoint")), [])


if __name__ == "__main__":
    unittest.main()
