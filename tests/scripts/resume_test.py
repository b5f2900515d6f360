"""A search by the default algorithm, its pilot among it, that is killed at random moments ends as one left alone.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/resume_test.py
"""

import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ["TQDM_DISABLE"] = "1"

import tiny_run
from tiny_run import POLAR

CONFIGURATION = """
name: {name}
pool: pool
task: {{kind: arithmetic, max_new_tokens: 4, train_per_level: 24, valid_per_level: 4, test_per_level: 4}}
exec: {{dtype: float32, workers: {workers}}}
search: {{algorithm: transfer, transfer_pilot: 2, transfer_pilot_rollouts: 20, rollouts: 40, max_edits: 2, max_block: 2, min_depth: 0.5,
  max_depth: 1.5, first_layer: 1, trees_in_step: {trees}}}
predict: {{prefix_layers: 1}}
"""
KILLS = 3


def trials_in(store):
    """Committed trials, seen from beside the search."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FROM trials").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error) or "no such table" in str(error):  # not there yet
            return 0
        raise


class Resume(tiny_run.TinyRun):
    def test_a_search_killed_at_random_moments_ends_as_one_left_alone(self):
        alone = self.searched("alone")
        whole = trials_in(self.folder / "runs" / "alone" / "labels.sqlite")
        seed = random.randrange(1000)
        draw = random.Random(seed)
        with self.subTest(seed=seed):
            recorded = 0
            for kill in range(KILLS):
                recorded = self.killed(recorded + draw.randint(1, whole // (2 * KILLS)), recorded, trees=1 + kill)
                self.assertLess(recorded, whole, "the kill came after the search")
            self.assertEqual(self.searched("killed", workers=2, trees=64), alone)

    def start(self, name, workers=1, trees=7):
        path = self.folder / f"{name}.yaml"
        path.write_text(CONFIGURATION.format(name=name, workers=workers, trees=trees), encoding="utf-8")
        return subprocess.Popen([str(POLAR), "search", path.name], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def searched(self, name, **settings):
        """The digests of a search that runs to its end."""
        search = self.start(name, **settings)
        _, errors = search.communicate()
        self.assertEqual(search.returncode, 0, errors)
        shown = subprocess.run([str(POLAR), "labels", "stats", f"runs/{name}"], cwd=self.folder, check=True, capture_output=True, text=True).stdout
        digests = re.findall(r"^  (verdicts|exact) +([0-9a-f]{64})$", shown, re.MULTILINE)
        self.assertEqual([kind for kind, _ in digests], ["verdicts", "exact"])
        return digests

    def killed(self, target, before, trees):
        """Committed trials after a kill in mid-search, none of them fewer than were seen before it."""
        store = self.folder / "runs" / "killed" / "labels.sqlite"
        search = self.start("killed", trees=trees)
        seen = before
        while search.poll() is None and seen < target:
            seen = trials_in(store)
            time.sleep(0.01)
        search.send_signal(signal.SIGKILL)
        _, errors = search.communicate()
        self.assertEqual(search.returncode, -signal.SIGKILL, f"the search ended before it could be killed: {errors}")
        kept = trials_in(store)
        self.assertGreaterEqual(kept, seen)
        return kept


if __name__ == "__main__":
    unittest.main()
