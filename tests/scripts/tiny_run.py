"""A pool and a data set that tests of scripts run the program on."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import make_tiny_model
from polar_export import package, source, verify

POLAR = Path(os.environ.get("POLAR_BINARY", ROOT / "build" / "check" / "polar"))
HEAD = """
name: whole
pool: {pool}
task: {{kind: jsonl, train_file: {rows}, template: "{{question}}", grader: exact, max_new_tokens: 4}}
exec: {{dtype: float32, workers: 1}}
"""
needs_polar = unittest.skipUnless(POLAR.exists(), f"{POLAR} is not built: scripts/test.sh builds it")


def make_pool(folder):
    """A pool of four layers, with random weights."""
    with mock.patch.object(verify, "NEW_TOKENS", 3):
        package.export(source.from_folder(make_tiny_model.make_folder(folder / "hf", seed=1)), folder / "pool", log=lambda line: None)


def answered(pool, program):
    """Questions with what the model answers under the program, so that something is valid."""
    for number in range(24):
        question = f"{number} plus"
        said = subprocess.run([POLAR, "generate", pool, question, "--max-new-tokens", "4", "--program", program],
                              check=True, capture_output=True, text=True).stdout
        if said.strip() and "\n" not in said.strip():  # no grader matches several lines
            yield question, said.strip()


@needs_polar
class TinyRun(unittest.TestCase):
    """Has cls.folder with pool and, where SETTINGS follow HEAD, rows.jsonl, whose questions the program RIGHT answers, and whole.yaml."""

    SETTINGS = ""
    RIGHT = "0-3"

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        make_pool(cls.folder)
        if not cls.SETTINGS:
            return
        pool, rows = cls.folder / "pool", cls.folder / "rows.jsonl"
        rows.write_text("".join(json.dumps({"id": question, "question": question, "answer": answer}) + "\n"
                                for question, answer in answered(pool, cls.RIGHT)), encoding="utf-8")
        (cls.folder / "whole.yaml").write_text(HEAD.format(pool=pool, rows=rows) + cls.SETTINGS, encoding="utf-8")
