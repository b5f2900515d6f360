"""A pool and a data set that tests of scripts run the program on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import make_tiny_model
from polar_export import package, source, verify

POLAR = Path(os.environ.get("POLAR_BINARY", ROOT / "build" / "check" / "polar"))
SKIP_REASON = f"{POLAR} is not built: scripts/test.sh builds it"


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
        if said.strip():
            yield question, said.strip()


def make(folder, configuration, right="0-3"):
    """Writes FOLDER/pool, rows.jsonl, whose questions `right` answers, and whole.yaml, in which {pool} and {rows} stand for the
    paths."""
    make_pool(folder)
    with open(folder / "rows.jsonl", "w", encoding="utf-8") as rows:
        for question, answer in answered(folder / "pool", right):
            print(json.dumps({"id": question, "question": question, "answer": answer}), file=rows)
    (folder / "whole.yaml").write_text(configuration.format(pool=folder / "pool", rows=folder / "rows.jsonl"), encoding="utf-8")
