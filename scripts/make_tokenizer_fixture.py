#!/usr/bin/env python3
"""Writes tests/text/data/parity.json: a small trained tokenizer for each supported family, and mixed strings with the
ids that the `tokenizers` library gives them. Run it again only to change the fixture; the tests need no Python.

    scripts/make_tokenizer_fixture.py --out tests/text/data/parity.json
    scripts/make_tokenizer_fixture.py --save-tokenizers build/tokenizers --vocabulary 4000   # for scripts/check_tokenizer.py
"""

import argparse
import base64
import json
import pathlib
import pydoc_data.topics

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tokenizer_strings import CODE, MARKS, WORDS, mixed_strings

SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split_then_bytes(digits):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SPLIT % digits), behavior="isolated"), byte_level(False)])


# Family: pre-tokenizer, NFC, ignore_merges, added tokens (special?, normalized?).
FAMILIES = {
    "gpt2": (byte_level(True), False, False, {"<|endoftext|>": (True, True)}),
    "llama3": (split_then_bytes("{1,3}"), False, True, {"<|begin_of_text|>": (True, False), "<|eot_id|>": (True, False)}),
    "qwen2": (split_then_bytes(""), True, False,
              {"<|im_start|>": (True, False), "<|im_end|>": (True, False), "<tool_call>": (False, False),
               "<é>": (False, True), "<|im": (False, False)}),
    "smollm2": (pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)]),
                False, False,
                {"<|endoftext|>": (True, False), "<|im_start|>": (True, False), "<|im_end|>": (True, False)}),
}


def train(family, vocabulary):
    """A tokenizer.json as a dictionary."""
    pre_tokenizer, nfc, ignore_merges, added = FAMILIES[family]
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    first = [AddedToken("<|endoftext|>", special=True, normalized=True)] if family == "gpt2" else []
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  special_tokens=first, show_progress=False)
    text = list(pydoc_data.topics.topics.values()) + [" ".join(WORDS), *CODE, *MARKS] * 20
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.add_tokens([AddedToken(content, special=special, normalized=normalized)
                          for content, (special, normalized) in added.items()])
    description = json.loads(tokenizer.to_str())
    if family == "smollm2":  # as the real one: some bytes have no token and are dropped
        for missing in ("ñ", "Ą", "ÿ"):
            del description["model"]["vocab"][missing]
        description["model"]["vocab"] = {token: i for i, token in enumerate(description["model"]["vocab"])}
        for token in description["added_tokens"]:
            token["id"] -= 3
    if family == "gpt2":  # the older way of writing merges
        description["model"]["merges"] = [" ".join(pair) for pair in description["model"]["merges"]]
    if family == "llama3":  # words that only ignore_merges finds
        vocab = description["model"]["vocab"]
        first_added = len(vocab)
        for word in ("Ġducks", "çade"):
            vocab.setdefault(word, len(vocab))
        for token in description["added_tokens"]:
            token["id"] += len(vocab) - first_added
    return description


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, help="fixture to write")
    parser.add_argument("--save-tokenizers", type=pathlib.Path, help="folder to write FAMILY.json files to")
    parser.add_argument("--vocabulary", type=int, default=310, help="tokens of each (default %(default)s)")
    parser.add_argument("--strings", type=int, default=300, help="strings in the fixture (default %(default)s)")
    args = parser.parse_args()

    described = {family: train(family, args.vocabulary) for family in FAMILIES}
    if args.save_tokenizers:
        args.save_tokenizers.mkdir(parents=True, exist_ok=True)
        for family, description in described.items():
            path = args.save_tokenizers / f"{family}.json"
            path.write_text(json.dumps(description, ensure_ascii=False), encoding="utf-8")
    if args.out:
        fixture = make_fixture(described, args.strings)
        args.out.write_text(json.dumps(fixture, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"{args.out}: {args.out.stat().st_size} bytes")


def make_fixture(described, count):
    """Short strings, shared by the families, base64 where they are not UTF-8."""
    added = sorted({token for family in FAMILIES.values() for token in family[3]})
    short = [text for text in mixed_strings(20 * count, 7, added=added) if 0 < len(text) <= 13][:count]
    families = {}
    for family, description in described.items():
        tokenizer = Tokenizer.from_str(json.dumps(description))
        ids = [tokenizer.encode(text.decode("utf-8", "replace"), add_special_tokens=False).ids for text in short]
        families[family] = {"tokenizer": description, "ids": ids,
                            "decoded_tail": [tokenizer.decode(each[len(each) // 2:]) for each in ids[:20]]}
    return {"strings_base64": [base64.b64encode(text).decode() for text in short], "families": families}


if __name__ == "__main__":
    main()
