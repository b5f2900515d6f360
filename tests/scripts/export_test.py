"""scripts/export.py on tiny random models. Run: .venv/bin/python tests/scripts/export_test.py"""

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

import gguf
import numpy
import torch
from tokenizers import Tokenizer
from transformers.utils import logging

import export as command
import make_tiny_model
from polar_export import ExportError, llama, package, source, tokenizer, verify

TINY = {"layers": 3, "hidden": 32, "heads": 4, "kv_heads": 2, "inner": 48, "vocabulary": 280, "context": 128}
SMOLLM2 = ("{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind<|im_end|>\n' }}"
           "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
           "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


warnings.filterwarnings("ignore", category=DeprecationWarning, message="`torch.jit")
logging.disable_progress_bar()


def quiet(line):
    pass


class ExportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.pools = self.folder / "pools"
        self.pools.mkdir()
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self.addCleanup(torch.set_num_threads, threads)

    def tiny(self, name="tiny", **options):
        return make_tiny_model.make_folder(self.folder / name, **(TINY | options))

    def few_tokens(self):
        """Tests of what surrounds the verification need not decode long."""
        return mock.patch.object(verify, "NEW_TOKENS", 3)

    def fails(self, text, call, *arguments, **options):
        with self.assertRaises(ExportError) as caught:
            call(*arguments, **options)
        self.assertIn(text, str(caught.exception))


class RoundTrip(ExportTest):
    def test_a_tiny_model_is_exported_verified_and_described(self):
        lines = []
        manifest = package.export(source.from_folder(self.tiny()), self.pools / "tiny", log=lines.append)
        written = json.loads((self.pools / "tiny" / "pool.json").read_text())
        self.assertEqual(written, manifest)
        self.assertEqual(sum(line.startswith("verified ") for line in lines), 5)  # four programs and the time
        self.assertEqual(manifest["shape"], {"depth": 3, "hidden": 32, "heads": 4, "kv_heads": 2, "head_size": 8, "vocabulary": 280,
                                             "context": 128})
        self.assertEqual((manifest["dtype"], manifest["bos_id"], manifest["eos_ids"]), ("float32", 0, [1]))
        self.assertEqual(manifest["layers"][2], {"file": "layer_002.ts", "attention": {"kind": "causal", "window": None,
                                                                                      "scale": 8**-0.5, "softcap": None}})
        on_disk = {path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
                   for path in (self.pools / "tiny").iterdir() if path.name != "pool.json"}
        self.assertEqual(manifest["files"], on_disk)
        self.assertEqual([path.name for path in self.pools.iterdir()], ["tiny"])  # no temporary folder stays

    def test_biases_an_untied_head_and_scaled_rope_are_computed_as_transformers_does(self):
        llama3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                  "original_max_position_embeddings": 32}
        linear = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}
        for name, rope in (("llama3", llama3), ("linear", linear)):
            with self.subTest(name), self.few_tokens():
                model = source.from_folder(self.tiny(name, bias=True, tied=False, rope=rope, dtype="bfloat16"))
                manifest = package.export(model, self.pools / name, log=quiet)
                self.assertEqual(manifest["dtype"], "bfloat16")
                self.assertIsNotNone(llama.Layer(model.config, layer_weights(model, 0), torch.empty(0)).gate_up_bias)

    def test_the_same_model_gives_the_same_weights_digest_whatever_the_context(self):
        def digest(folder, **options):
            return package.weights_digest(source.from_folder(folder, **options))

        one, other = self.tiny("one"), self.tiny("other", seed=1)
        self.assertEqual(digest(one), digest(one))
        self.assertEqual(digest(one), digest(one, context=64))
        self.assertNotEqual(digest(one), digest(other))
        self.assertNotEqual(digest(one), digest(one, dtype="bfloat16"))
        with self.few_tokens():
            exports = [package.export(source.from_folder(one), self.pools / name, log=quiet) for name in ("first", "second")]
        self.assertEqual(exports[0]["weights_digest"], exports[1]["weights_digest"])
        self.assertEqual(exports[0]["weights_digest"], digest(one))

    def test_the_hugging_face_folder_holds_the_same_weights(self):
        model = source.from_folder(self.tiny(dtype="bfloat16"))
        with self.few_tokens():
            package.export(model, self.pools / "tiny", log=quiet)
        source.save_hf_folder(model, self.folder / "again")
        again = source.from_folder(self.folder / "again")
        self.assertEqual(package.weights_digest(model), package.weights_digest(again))


class Modules(ExportTest):
    def test_a_row_does_not_depend_on_the_others_and_high_positions_survive_bfloat16(self):
        model = source.from_folder(self.tiny(context=4096), context=4096)
        for dtype in (torch.float32, torch.bfloat16):
            layer = llama.Layer(model.config, layer_weights(model, 1), llama.rope_table(model.config, 4096))
            layer = torch.jit.freeze(torch.jit.script(layer.eval()).to(dtype), preserved_attrs=["attend_in", "attend_out"])
            hidden, positions = torch.randn(32, 32).to(dtype), torch.arange(4064, 4096)
            q, k, v = layer.attend_in(hidden, positions)
            self.assertEqual((q.shape, k.shape, v.shape), ((32, 4, 8), (32, 2, 8), (32, 2, 8)))
            self.assertTrue(q.is_contiguous() and k.is_contiguous() and v.is_contiguous())
            order = torch.randperm(32)
            for ours, shuffled in zip((q, k, v), layer.attend_in(hidden[order], positions[order])):
                self.assertTrue(torch.equal(ours[order], shuffled))
            # Rope keeps the length of every pair, and neighbouring positions differ even up there.
            still = layer.attend_in(hidden, torch.zeros(32, dtype=torch.long))[0].float()
            lengths = [torch.stack(x.float().chunk(2, -1)).norm(dim=0) for x in (q, still)]
            torch.testing.assert_close(lengths[0], lengths[1], rtol=0.02, atol=0.02)
            next_door = layer.attend_in(hidden, positions - 1)[0]
            self.assertGreater(float((q - next_door).float().abs().max()), 0.1)


class Refusals(ExportTest):
    def test_a_wrong_weight_is_a_mismatch_and_leaves_nothing(self):
        def spoil(model, folder):
            files = write_files(model, folder)
            layer = torch.jit.load(str(folder / "layer_001.ts"))
            layer.down.data[0, 0] += 0.5
            torch.jit.save(layer, str(folder / "layer_001.ts"))
            return files

        write_files = package.write_files
        with mock.patch.object(package, "write_files", spoil), self.few_tokens():
            self.fails("verification: identity: float32, full pass: expected logits within 0.001", package.export,
                       source.from_folder(self.tiny()), self.pools / "tiny", log=quiet)
        self.assertEqual(list(self.pools.iterdir()), [])

    def test_wide_products_round_once_the_sum_of_exact_products(self):
        rows, weight, bias = (torch.randn(shape, generator=torch.Generator().manual_seed(1)).bfloat16() for shape in ((5, 32), (7, 32), (7,)))
        for own_bias in (None, bias):
            exact = torch.nn.functional.linear(rows.double(), weight.double(), None if own_bias is None else own_bias.double())
            with torch.inference_mode(), verify.WideProducts():
                wide = torch.nn.functional.linear(rows, weight, own_bias)
            self.assertEqual(wide.dtype, torch.bfloat16)
            self.assertTrue(torch.equal(wide, exact.bfloat16()))
        layer = torch.nn.Linear(32, 7, bias=False, dtype=torch.bfloat16).eval()
        layer.weight.data = weight
        frozen = torch.jit.freeze(torch.jit.script(layer))  # as the layers of a pool are
        exact = torch.nn.functional.linear(rows.double(), weight.double())
        with torch.inference_mode(), verify.WideProducts():
            self.assertTrue(torch.equal(frozen(rows), exact.bfloat16()))

    def test_every_rule_of_the_comparison_is_checked(self):
        exact = torch.tensor([[0.0, 1.0, 2.0]])
        self.fails("expected logits within", verify.compare, "x", exact + 0.1, exact, 0.05)
        self.fails("expected logits within", verify.compare, "x", exact * float("nan"), exact, 0.05)
        close = torch.tensor([[0.0, 2.0, 2.0005]])
        self.fails("1 others", verify.compare, "x", torch.tensor([[0.0, 2.0004, 2.0001]]), close, 1e-3)
        self.fails("1 others", verify.compare, "x", torch.tensor([[0.0, 2.1, 2.0]]), torch.tensor([[0.0, 2.1, 2.05]]), 0.06, exact)
        self.fails("root mean square", verify.compare_spread, "x", exact + 0.3, exact + 0.1, exact)
        verify.compare_spread("x", exact + 0.2, exact + 0.11, exact)

    def test_an_existing_pool_is_replaced_only_with_force_and_only_after_verification(self):
        one, other = source.from_folder(self.tiny("one")), source.from_folder(self.tiny("other", seed=1))
        out = self.pools / "pool"
        with self.few_tokens():
            first = package.export(one, out, log=quiet)
            self.fails("--force", package.export, other, out, log=quiet)
            with mock.patch.object(verify, "verify", side_effect=ExportError("verification: no")):
                self.fails("verification: no", package.export, other, out, force=True, log=quiet)
            self.assertEqual(json.loads((out / "pool.json").read_text()), first)
            second = package.export(other, out, force=True, log=quiet)
        self.assertEqual(json.loads((out / "pool.json").read_text()), second)
        self.assertNotEqual(first["weights_digest"], second["weights_digest"])
        self.assertEqual([path.name for path in self.pools.iterdir()], ["pool"])

    def test_force_never_replaces_what_is_no_pool(self):
        precious = self.pools / "precious"
        precious.mkdir()
        (precious / "thesis.txt").write_text("years of work")
        self.fails("no pool.json", package.export, source.from_folder(self.tiny()), precious, force=True, log=quiet)
        self.assertTrue((precious / "thesis.txt").exists())

    def test_unsupported_features_are_refused_by_name(self):
        folder = self.tiny()
        config = json.loads((folder / "config.json").read_text())
        for change, text in (({"model_type": "qwen2"}, "model_type: expected llama, found qwen2"),
                             ({"architectures": ["LlamaForTokenClassification"]}, "found LlamaForTokenClassification"),
                             ({"pretraining_tp": 2}, "pretraining_tp"), ({"sliding_window": 64}, "sliding_window"),
                             ({"hidden_act": "gelu"}, "hidden_act"), ({"quantization_config": {"bits": 4}}, "quantization_config"),
                             ({"rope_parameters": {"rope_type": "yarn"}}, "rope type"),
                             ({"rope_parameters": None, "rope_scaling": {"type": "dynamic"}}, "found dynamic")):
            with self.subTest(text):
                (folder / "config.json").write_text(json.dumps(config | change))
                self.fails(text, source.from_folder, folder)

    def test_missing_weights_are_never_made_up(self):
        folder = self.tiny()
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 4}))
        self.fails("missing_keys", source.from_folder, folder)

    def test_a_tokenizer_that_polar_cannot_read_is_refused(self):
        folder = self.tiny()
        document = json.loads((folder / "tokenizer.json").read_text())
        text = json.dumps(document | {"pre_tokenizer": {"type": "Metaspace"}})
        self.fails("pre_tokenizer: expected one with ByteLevel", tokenizer.check, "t", text, 280)
        self.fails("model.type: expected BPE, found Unigram", tokenizer.check, "t", json.dumps(document | {"model": {"type": "Unigram"}}), 280)
        self.fails("vocabulary of 100", tokenizer.check, "t", json.dumps(document), 100)

    def test_the_command_prints_one_message_and_fails(self):
        for arguments, text in ((["nowhere", "out"], "config.json: expected a Hugging Face model folder"),
                                (["nowhere.gguf", "out"], "expected a GGUF file"),
                                ([str(self.tiny()), "out", "--context", "4000"], "--context: expected 1 to 128")):
            with self.subTest(text), contextlib.redirect_stderr(io.StringIO()) as errors:
                self.assertEqual(command.main(arguments), 1)
                self.assertIn(text, errors.getvalue())
                self.assertEqual(errors.getvalue().count("\n"), 1)


class Gguf(ExportTest):
    def write(self, model, path, **changes):
        """The model as llama.cpp stores it: other names, query and key rows permuted so that rope pairs are neighbours."""
        config, document = model.config, json.loads(model.tokenizer_json)
        writer = gguf.GGUFWriter(path, changes.get("architecture", "llama"))
        writer.add_block_count(config.num_hidden_layers)
        writer.add_context_length(config.max_position_embeddings)
        writer.add_embedding_length(config.hidden_size)
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count(config.num_attention_heads)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(10000.0)
        writer.add_rope_dimension_count(config.head_dim)
        writer.add_vocab_size(config.vocab_size)
        tokens = sorted(document["model"]["vocab"], key=document["model"]["vocab"].get)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(changes.get("pre", "smollm"))
        writer.add_token_list(tokens)
        writer.add_token_types([tokenizer.CONTROL if token in ("<|im_start|>", "<|im_end|>") else tokenizer.NORMAL for token in tokens])
        writer.add_token_merges([" ".join(pair) for pair in document["model"]["merges"]])
        writer.add_bos_token_id(changes.get("bos", 0))
        if "add_bos" in changes:
            writer.add_add_bos_token(changes["add_bos"])
        writer.add_eos_token_id(1)
        writer.add_chat_template(SMOLLM2)
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
        for name, tensor in model.weights.items():
            if name == "lm_head.weight":
                continue  # tied
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads if "k_proj" in name else 0
            if heads:
                tensor = tensor.view(heads, 2, config.head_dim // 2, -1).transpose(1, 2).reshape(tensor.shape)
            writer.add_tensor(names.get_name(name, (".weight",)), tensor.numpy().astype(numpy.float32))
        if changes.get("rope_freqs"):
            writer.add_tensor("rope_freqs.weight", numpy.ones(config.head_dim // 2, dtype=numpy.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def test_a_gguf_gives_the_weights_and_the_tokenizer_of_the_folder_it_came_from(self):
        model = source.from_folder(self.tiny())
        again = source.from_gguf(self.write(model, self.folder / "tiny.gguf"), dtype="float32")
        self.assertEqual(model.weights.keys(), again.weights.keys())
        for name, tensor in model.weights.items():
            self.assertTrue(torch.equal(tensor, again.weights[name]), name)
        self.assertEqual((again.bos_id, again.eos_ids), (0, [1]))
        text = "<|im_start|>The cat has 1234 apples.<|im_end|>\n"
        ids = [Tokenizer.from_str(one.tokenizer_json).encode(text, add_special_tokens=False).ids for one in (model, again)]
        self.assertEqual(ids[0], ids[1])
        with self.few_tokens():
            manifest = package.export(again, self.pools / "tiny", log=quiet)
        self.assertEqual(manifest["chat"]["before_user"], "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\n")
        rounded = source.from_gguf(self.folder / "tiny.gguf")
        self.assertEqual((rounded.dtype, rounded.weights["model.norm.weight"].dtype), ("bfloat16", torch.bfloat16))
        differences = [(tensor - rounded.weights[name].float()).abs().max() for name, tensor in again.weights.items()]
        self.assertEqual((again.rounding, rounded.rounding), (0.0, float(max(differences))))
        self.assertGreater(rounded.rounding, 0.0)

    def test_texts_begin_as_the_gguf_or_the_tokenizers_settings_say(self):
        def begin(model):
            return Tokenizer.from_str(model.tokenizer_json).encode("7").ids[:-1]

        folder = self.tiny()
        model = source.from_folder(folder)
        self.assertEqual(begin(model), [])
        for changes, ids in (({"add_bos": True}, [0]), ({"add_bos": False}, []), ({"pre": "llama-bpe"}, [0])):
            with self.subTest(changes):
                self.assertEqual(begin(source.from_gguf(self.write(model, self.folder / "tiny.gguf", **changes), dtype="float32")), ids)
        self.fails("bos_token_id: expected the id", source.from_gguf, self.write(model, self.folder / "tiny.gguf", add_bos=True, bos=9999))
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        for begins in (True, False):
            (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"add_bos_token": begins}))
            self.assertEqual(begin(source.from_folder(folder)), [0] if begins else [])
        (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"add_eos_token": True}))
        self.fails("add_eos_token: expected false", source.from_folder, folder)

    def test_post_processors_that_the_program_cannot_read_are_refused(self):
        special, text = {"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
        tokenizer.check_post_processor("t", {"type": "TemplateProcessing", "single": [special, text]})
        for processor, message in (({"type": "BertProcessing"}, "post_processor.type: expected ByteLevel"),
                                   ({"type": "TemplateProcessing", "single": [text, special]}, "post_processor.single: expected"),
                                   ({"type": "Sequence", "processors": [{"type": "RobertaProcessing"}]}, "found RobertaProcessing")):
            self.fails(message, tokenizer.check_post_processor, "t", processor)

    def test_what_a_gguf_may_not_have_is_refused_by_name(self):
        model = source.from_folder(self.tiny())
        path = self.folder / "tiny.gguf"
        for changes, text in (({"pre": "deepseek-llm"}, "tokenizer.ggml.pre: expected one of gpt-2, smollm, llama-bpe, qwen2, found deepseek-llm"),
                              ({"architecture": "qwen2"}, "general.architecture: expected llama, found qwen2"),
                              ({"rope_freqs": True}, "found rope_freqs.weight")):
            with self.subTest(text):
                self.fails(text, source.from_gguf, self.write(model, path, **changes))


class SmolLM2Tokenizer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        fields, _ = source.read_gguf(source.smollm2_file())
        cls.tokenizer = Tokenizer.from_str(tokenizer.from_gguf("smollm2", fields))

    def test_known_strings_have_their_known_tokens(self):
        for text, tokens in (("The cat has 1234 apples.", "The Ġcat Ġhas Ġ 1 2 3 4 Ġapples ."),
                             ("<|im_start|>user\n17+25", "<|im_start|> user Ċ 1 7 + 2 5")):
            self.assertEqual(self.tokenizer.encode(text).tokens, tokens.split(" "))

    def test_special_tokens_keep_their_ids_and_text_comes_back(self):
        self.assertEqual([self.tokenizer.token_to_id(token) for token in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")], [0, 1, 2])
        self.assertEqual(self.tokenizer.get_vocab_size(), 49152)
        text = "Grüße, 世界! 🙂\n\t  x = 3.14"
        self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text).ids), text)


class ChatTurn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.json = make_tiny_model.train_tokenizer(280).to_str()

    def test_a_template_is_cut_around_the_users_and_the_systems_words(self):
        turn = tokenizer.chat_turn(SMOLLM2, self.json, {})
        self.assertEqual(turn, {
            "template": SMOLLM2, "before_user": "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\n",
            "after_user": "<|im_end|>\n<|im_start|>assistant\n", "before_system": "<|im_start|>system\n",
            "between": "<|im_end|>\n<|im_start|>user\n", "takes_system": True})

    def test_a_template_without_a_place_for_the_system_says_so(self):
        for template in ("{{ bos_token }}[INST] {{ messages[-1]['content'] | trim }} [/INST]",
                         "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
                         "{{ bos_token }}[INST] {{ messages[0]['content'] }} [/INST]"):
            turn = tokenizer.chat_turn(template, self.json, {"bos_token": "<|im_start|>"})
            self.assertEqual((turn["before_user"], turn["after_user"]), ("<|im_start|>[INST] ", " [/INST]"))
            self.assertEqual((turn["takes_system"], turn["before_system"], turn["between"]), (False, "", ""))

    def test_no_template_no_turn(self):
        self.assertIsNone(tokenizer.chat_turn(None, self.json, {}))


def layer_weights(model, index):
    prefix = f"model.layers.{index}."
    return {name.removeprefix(prefix): tensor for name, tensor in model.weights.items() if name.startswith(prefix)}


if __name__ == "__main__":
    unittest.main(warnings="ignore")
