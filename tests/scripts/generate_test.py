"""`polar generate`: a template stands around the prompt as task.template does in a run.

POLAR_BINARY names the program (default: build/check/polar, which scripts/test.sh builds first).
Run: .venv/bin/python tests/scripts/generate_test.py
"""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import tiny_run
from tiny_run import POLAR


class Generate(tiny_run.TinyRun):
    def generate(self, *arguments):
        return subprocess.run([POLAR, "generate", self.folder / "pool", *arguments, "--max-new-tokens", "4"], capture_output=True, text=True,
                              check=False)

    def test_a_template_around_a_prompt_is_the_whole_prompt(self):
        whole, parts = self.generate("12 plus 7 ="), self.generate("12 plus 7", "--template", "{question} =")
        self.assertEqual(parts.stdout, whole.stdout)
        self.assertNotEqual(parts.stdout, self.generate("12 plus 7").stdout)

    def test_a_template_stands_around_every_prompt_of_a_file(self):
        prompts = self.folder / "prompts.jsonl"
        prompts.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in ("1 plus", "2 plus")), encoding="utf-8")
        replies = [json.loads(line) for line in self.generate("--prompts", prompts, "--template", "{question} 3 =").stdout.splitlines()]
        self.assertEqual([reply["prompt"] for reply in replies], ["1 plus", "2 plus"])
        for reply in replies:
            self.assertEqual(reply["text"] + "\n", self.generate(reply["prompt"] + " 3 =").stdout)

    def test_a_template_without_the_question_is_refused(self):
        refused = self.generate("12", "--template", "no place")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("{question}", refused.stderr)


if __name__ == "__main__":
    unittest.main()
