"""The built program on what scripts/export.py writes: the texts that transformers writes under programs of layers, and the ids of the
`tokenizers` library.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/parity_test.py
"""

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
os.environ["TQDM_DISABLE"] = "1"

from transformers.utils import logging

import make_tiny_model
from polar_export import package, source, tokenizer, verify
from polar_export.prompts import PROMPTS

POLAR = Path(os.environ.get("POLAR_BINARY", ROOT / "build" / "check" / "polar"))
NEW_TOKENS = "16"
CONFIGURATION = """
name: tiny
pool: {pool}
task: {{kind: arithmetic, max_new_tokens: 4, train_per_level: 4}}
exec: {{dtype: float32}}
search: {{algorithm: mcts, rollouts: 6, max_edits: 2, max_block: 2, min_depth: 0.5, max_depth: 1.5, first_layer: 1}}
predict: {{prefix_layers: 1}}
"""
logging.disable_progress_bar()


def output_of(*command):
    return json.loads(run(*command).stdout)


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})


@unittest.skipUnless(POLAR.exists(), f"{POLAR} is not built: scripts/test.sh builds it")
class Tokens(unittest.TestCase):
    def test_the_real_tokenizer_splits_20000_mixed_strings_as_the_library_does(self):
        path = source.smollm2_file()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "tokenizer.json"
            file.write_text(tokenizer.from_gguf(path, source.read_gguf(path)[0]), encoding="utf-8")
            compared = run(sys.executable, ROOT / "scripts" / "check_tokenizer.py", file, "--polar", POLAR, "--strings", "20000",
                           "--skip-code-points")
        self.assertIn("ids: 20000 compared, 0 different", compared.stdout)


@unittest.skipUnless(POLAR.exists(), f"{POLAR} is not built: scripts/test.sh builds it")
class Texts(unittest.TestCase):
    def test_the_program_writes_what_transformers_writes_with_and_without_a_start_token(self):
        llama3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                  "original_max_position_embeddings": 32}
        for options in ({"begin": False, "seed": 1}, {"begin": True, "seed": 2, "tied": False, "bias": True, "rope": llama3}):
            with self.subTest(options), tempfile.TemporaryDirectory() as folder:
                self.compare(Path(folder), options)

    def compare(self, folder, options):
        model = source.from_folder(make_tiny_model.make_folder(folder / "hf", **options))
        with mock.patch.object(verify, "NEW_TOKENS", 3):
            package.export(model, folder / "pool", log=lambda line: None)
        trials = [{"prompt": prompt, "answer": "7", "program": program}
                  for program in verify.programs(4).values() for prompt in PROMPTS[:8]]
        (folder / "trials.jsonl").write_text("".join(json.dumps(trial) + "\n" for trial in trials), encoding="utf-8")
        theirs = output_of(sys.executable, ROOT / "bench" / "reference_hf.py", "--model", folder / "hf", "--tokenizer",
                           folder / "hf" / "tokenizer.json", "--trials", folder / "trials.jsonl", "--max-new-tokens", NEW_TOKENS,
                           "--dtype", "float32", "--mode", "single")
        for plain in ([], ["--plain"]):
            ours = output_of(POLAR, "bench", "trials", "--pool", folder / "pool", "--trials", folder / "trials.jsonl",
                             "--max-new-tokens", NEW_TOKENS, "--dtype", "float32", "--grader", "numeric:last", *plain)
            self.assertEqual(ours["texts"], theirs["texts"])
        self.assertGreater(len(set(theirs["texts"])), len(trials) // 2, "the models must not say the same everywhere")
        self.generate(folder, trials, theirs["texts"])
        if not options["begin"]:
            self.measure(folder)

    def generate(self, folder, trials, texts):
        """`polar generate` gives the same texts, one prompt alone and many under programs of their own."""
        options = ("--max-new-tokens", NEW_TOKENS, "--dtype", "float32")
        alone = run(POLAR, "generate", folder / "pool", trials[1]["prompt"], "--program", ",".join(map(str, trials[1]["program"])), "--quiet",
                    *options)
        self.assertEqual(alone.stdout, texts[1] + "\n")
        chosen = trials[::5]
        lines = ({"prompt": trial["prompt"], "program": ",".join(map(str, trial["program"]))} for trial in chosen)
        (folder / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        many = run(POLAR, "generate", folder / "pool", "--prompts", folder / "prompts.jsonl", *options).stdout.splitlines()
        self.assertEqual([json.loads(line)["text"] for line in many], texts[::5])
        self.assertIn("9", self.refused(2, POLAR, "generate", folder / "pool", "Hello", "--program", "0-2,9", *options))
        self.assertIn("stop", self.refused(2, POLAR, "generate", folder / "pool", "Hello", "--stop", "", *options))

    def measure(self, folder):
        """`polar bench search` and `generate`, as short as they get: what their lines hold, not how fast anything was."""
        (folder / "tiny.yaml").write_text(CONFIGURATION.format(pool=folder / "pool"), encoding="utf-8")
        search = (POLAR, "bench", "search", folder / "tiny.yaml", "--examples", "4")
        default, *others = map(json.loads, run(*search, "--without", "prefix-sharing", "--without", "drafts").stdout.splitlines())
        self.assertEqual([other["mode"] for other in others], ["without prefix-sharing", "without drafts"])
        self.assertEqual(default["rollouts"], 24)
        for other in others:
            self.assertEqual(other["correct"], default["correct"])
        self.assertGreater(others[0]["layer_rows"], default["layer_rows"])
        self.assertGreater(default["peak_idle_bytes"], 0)
        self.assertIn("at most 1 MB", self.refused(1, *search, "--memory-mb", "1"))
        self.assertIn("one variant", self.refused(2, *search, "--memory-mb", "1", "--without", "drafts"))

        generate = (POLAR, "bench", "generate", "--pool", folder / "pool", "--program", "0-2,1-3", "--max-new-tokens", "3", "--prompts", "2",
                    "--rounds", "1", "--seconds", "0", "--dtype", "float32")
        lines = list(map(json.loads, run(*generate, "--compare", "--python", sys.executable, "--reference", ROOT / "bench" / "reference_hf.py",
                                         "--hf-folder", folder / "hf").stdout.splitlines()))
        ours, theirs = lines[0::2], lines[1::2]
        self.assertEqual([line["tokens"] for line in lines], [3, 3, 3, 3, 6, 6])
        self.assertEqual([line["texts"] for line in ours], [line["texts"] for line in theirs])
        self.assertIn("0-2,9", self.refused(2, *generate, "--program", "0-2,9"))

    def refused(self, code, *command):
        with self.assertRaises(subprocess.CalledProcessError) as refused:
            run(*command)
        self.assertEqual(refused.exception.returncode, code, refused.exception.stderr)
        return refused.exception.stderr


if __name__ == "__main__":
    unittest.main()
